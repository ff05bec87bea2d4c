// What words alone can do: no characters, no vectors from elsewhere.
local embedders = import 'lib/embedders.libsonnet';
(import 'lib/recipe.libsonnet') + {
  model+: { embedders: { words: embedders.words } },
}
