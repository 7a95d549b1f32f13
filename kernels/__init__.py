"""The model library: neurons/*.yaml and synapses/*.yaml, each with its equations and where they come from."""
