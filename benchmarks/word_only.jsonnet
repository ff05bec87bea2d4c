// The study's BiLSTM with 128 units per direction, documents' boundaries left out: the shape in
// which peers are compared. The head and the data are set by the scripts.
(import '../experiments/bilstm_crf.jsonnet') + {
  dataset_reader+: { docstart: 'boundary' },
  model+: {
    embedders+: { words+: { replace_singletons: 0 } },
    encoder+: { hidden_size: 128 },
  },
  evaluate_on_test: false,
}
