"""What online and batch deployments share: model, code and environment, brought to this machine."""
