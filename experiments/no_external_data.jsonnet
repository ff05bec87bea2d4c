// The most that a tagger can learn from its training file alone, one sentence at a time: the
// recipe to begin with. For data of your own, change the three paths.
local embedders = import 'lib/embedders.libsonnet';
(import 'lib/recipe.libsonnet') + {
  model+: {
    embedders: {
      words: embedders.words,
      characters: embedders.characters,
      subwords: embedders.subwords,
    },
    encoder: { type: 'lstm', hidden_size: 200 },
  },
}
