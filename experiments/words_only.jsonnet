// What words alone can do: no characters, no vectors from elsewhere.
local embedders = import 'lib/embedders.libsonnet';
(import 'lib/recipe.libsonnet') + {
  model+: { embedders: { words: embedders.words } },
  // in proportion to the norm of what there is to be moved
  trainer+: { adversarial_perturbation: 0.5 },
}
