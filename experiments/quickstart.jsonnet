// A BiLSTM-CRF on the small corpus that comes with the package: trains in seconds.
{
  dataset_reader: { type: 'conll' },
  train_data_path: 'sample/train.conll',
  validation_data_path: 'sample/dev.conll',
  test_data_path: 'sample/test.conll',
  evaluate_on_test: true,
  model: {
    tag_scheme: 'IOBES',
    embedders: {
      words: { type: 'embedding', embedding_dim: 50, replace_singletons: 0.5 },
    },
    encoder: { type: 'lstm', hidden_size: 64 },
    head: { type: 'crf' },
    dropout: 0.5,
  },
  data_loader: { batch_size: 16 },
  trainer: {
    optimizer: { type: 'adam', lr: 0.005 },
    num_epochs: 20,
    patience: 5,
    grad_norm: 5.0,
  },
  // what `ner-run tune` tries
  search: {
    'trainer.optimizer.lr': { type: 'float', low: 0.0005, high: 0.02, log: true },
    'model.encoder.hidden_size': { type: 'int', low: 32, high: 128, step: 32 },
    'model.dropout': { type: 'choice', values: [0.3, 0.5] },
  },
}
