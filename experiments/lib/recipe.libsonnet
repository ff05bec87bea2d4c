// How a tagger is trained from its training file alone: what all experiments but the study's
// share. They say which embedders and which encoder.
(import 'conll2003.libsonnet') + {
  model: {
    tag_scheme: 'IOBES',
    head: { type: 'crf', constraints: 'training' },
    dropout: 0.5,
    variational_dropout: true,
  },
  data_loader: { batch_size: 32 },
  trainer: {
    optimizer: { type: 'adam', lr: 0.004 },
    learning_rate_scheduler: { type: 'cosine_with_warmup', warmup_epochs: 1 },
    average: { type: 'ema', decay: 0.999 },
    num_epochs: 16,
    grad_norm: 1.0,
  },
}
