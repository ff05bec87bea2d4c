// The study's BiLSTM: each token's tag by a softmax of its own.
(import 'lib/study.libsonnet') + {
  model+: { head: { type: 'softmax', constraints: 'off' } },
}
