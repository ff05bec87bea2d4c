// The most that a tagger can learn from its training file alone, one sentence at a time: the
// recipe to begin with. For data of your own, change the three paths.
(import 'lib/recipe.libsonnet') + {
  model+: { embedders: import 'lib/embedders.libsonnet' },
}
