"""AMLRequest and AMLResponse, in the modules of Azure's names."""
