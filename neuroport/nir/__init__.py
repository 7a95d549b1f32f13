"""Graphs of the Neuromorphic Intermediate Representation (NIR) as networks, and networks as graphs.

    file or nir.NIRGraph --tree--> Raw --graph--> Graph --shapes, chains, timing--> build.Network

`tree` reads what is there, `kinds` knows the classes of nodes, `graph` joins nested graphs, `shapes` finds sizes,
`maps` are what is linear, `chains` lead from neurons to neurons and `connect` makes projections of them, `timing` finds
delays, `choices` what NIR leaves open, `network` makes the network, `text` its file, and `samples` shows it data.

The way back: `forms` says what models are in NIR, `sent` what synapses send, `export` makes the graph, and `carried`
puts the network itself into its metadata.
"""
