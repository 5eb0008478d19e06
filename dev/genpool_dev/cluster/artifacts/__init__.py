"""What goes into the cluster: Debian packages, binaries from Go modules, images; built once, kept."""
