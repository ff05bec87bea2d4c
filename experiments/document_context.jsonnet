// The same with the document around the sentence: a second LSTM also reads what the first made
// of the same word elsewhere in the document.
local lstm = { type: 'lstm', hidden_size: 150 };
(import 'no_external_data.jsonnet') + {
  model+: { encoder: { type: 'mentions', first: lstm, second: lstm, dropout: 0.2 } },
  // a name that is first told in full and then in part would be shown as two people
  data_loader+: { mention_replacement: 0 },
  // an epoch takes twice as long, and the best one comes sooner
  trainer+: { num_epochs: 16 },
}
