"""Many runs of one network: a grid over settings, chips, specimens and seeds, run in processes of their own.

`grid` has the points, `reading` the file that names them, `planned` what is to be run, read and checked. `folder`
keeps what came out, a line each, and `forms` says what its files look like. `runner` runs points, `process` does so in
a process of its own, `pool` in several, and `cluster` has Dask place them. `table` is what came out as rows, `told`
tells it, and `pictures` draws it.
"""
