// The study's Table 1, for either head: its BiLSTM, trained on CoNLL-2003 English with the
// -DOCSTART- lines kept as sentences and the tags as in the files (IOB1).
{
  dataset_reader: { type: 'conll', docstart: 'sentence', tag_scheme: 'IOB1' },
  train_data_path: 'conll2003/eng.train',
  validation_data_path: 'conll2003/eng.testa',
  test_data_path: 'conll2003/eng.testb',
  evaluate_on_test: true,
  model: {
    embedders: {
      words: {
        type: 'embedding',
        embedding_dim: 100,
        // half of the words that occur once are shown as unknown, so that the unknown word's
        // vector is trained; 0 is the study's own setting
        replace_singletons: 0.5,
      },
    },
    encoder: { type: 'lstm', hidden_size: 256 },
    dropout: 0.5,
  },
  data_loader: { batch_size: 32 },
  trainer: {
    optimizer: { type: 'adam', lr: 0.001 },
    num_epochs: 10,
  },
}
