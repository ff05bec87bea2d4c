// CoNLL-2003 English as it is usually evaluated: without its -DOCSTART- lines, entity F1 on
// eng.testb, the epoch chosen on eng.testa. Any other corpus goes in its place by three paths.
{
  dataset_reader: { type: 'conll' },
  train_data_path: 'conll2003/eng.train',
  validation_data_path: 'conll2003/eng.testa',
  test_data_path: 'conll2003/eng.testb',
  evaluate_on_test: true,
}
