// The tagger with the document around it, and pretrained vectors beside its own: the first 17,664
// words of GloVe 6B at 50 dimensions, which is the part that our figures were made with. All of
// GloVe covers more: --set model.embedders.glove.pretrained_file=glove.6B.50d.txt
(import 'document_context.jsonnet') + {
  model+: {
    embedders+: {
      glove: {
        type: 'embedding',
        embedding_dim: 50,
        pretrained_file: 'glove/glove.6B.50d.top17664.txt.gz',
      },
    },
  },
}
