// Embedders to choose from, by the names that experiments give them.
{
  // a vector per word; a word that occurs once is as often unknown as not
  words: { type: 'embedding', embedding_dim: 100, replace_singletons: 0.5, word_dropout: 0.1 },
  // what a word is made of, for those never seen
  characters: {
    type: 'character_cnn',
    embedding_dim: 32,
    num_filters: 64,
    widths: [2, 3, 4],
    character_dropout: 0.05,
  },
  // how it begins, ends and is written
  subwords: {
    type: 'subwords',
    embedding_dim: 16,
    prefixes: [1, 2, 3],
    suffixes: [1, 2, 3],
    norm: false,
  },
}
