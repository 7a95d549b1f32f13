"""Pictures of traces. The only room that uses matplotlib, which is optional: `pip install 'neuroport[plot]'`."""
