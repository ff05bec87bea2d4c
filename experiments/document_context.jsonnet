// The same with the document around the sentence: a second LSTM also reads what the first made
// of the same word elsewhere in the document.
(import 'no_external_data.jsonnet') + {
  model+: {
    encoder: {
      type: 'mentions',
      first: { type: 'lstm', hidden_size: 150 },
      second: { type: 'lstm', hidden_size: 100 },
    },
  },
}
