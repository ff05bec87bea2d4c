// How a tagger is trained from its training file alone: what all experiments but the study's
// share. They say which embedders, and some which encoder.
(import 'conll2003.libsonnet') + {
  model: {
    tag_scheme: 'IOBES',
    // both layers' outputs are what the head reads
    encoder: {
      type: 'lstm',
      hidden_size: 150,
      num_layers: 2,
      connections: 'dense',
      dropout: 0.2,
      variational_dropout: true,
    },
    head: { type: 'crf', constraints: 'training' },
    dropout: 0.5,
    variational_dropout: true,
    // a hidden word must be told from its neighbours
    word_dropout: 0.2,
  },
  data_loader: {
    batch_size: 32,
    // other names in the same places: what stands around them must tell their label
    mention_replacement: 0.3,
    // headlines, and people who type so
    capitals: 0.1,
  },
  trainer: {
    optimizer: { type: 'adamw', lr: 0.004, weight_decay: 0.05 },
    learning_rate_scheduler: { type: 'cosine_with_warmup', warmup_epochs: 1 },
    average: { type: 'ema', decay: 0.999 },
    // every other batch is learnt from at its hardest too
    adversarial_perturbation: 1.0,
    adversarial_share: 0.5,
    num_epochs: 20,
    grad_norm: 1.0,
    // find what F1 asks for, not what the most probable tagging has
    tune_threshold: true,
  },
}
