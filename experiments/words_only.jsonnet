// What words alone can do: no characters, no vectors from elsewhere.
local embedders = import 'lib/embedders.libsonnet';
(import 'lib/recipe.libsonnet') + {
  model+: { embedders: { words: embedders.words } },
  // there are fewer numbers to move: 1 is too far for them
  trainer+: { adversarial_perturbation: 0.5 },
}
