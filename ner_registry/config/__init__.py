"""From a Jsonnet file to checked plans: signatures decide what a config may say."""
