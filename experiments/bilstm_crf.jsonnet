// The study's BiLSTM-CRF: the tags of a sentence together, by a conditional random field.
(import 'lib/study.libsonnet') + {
  model+: { head: { type: 'crf', constraints: 'off' } },
}
