"""The proxy training of one genome: a pure function of (genome, data, recipe, state), and the process that runs it.

It knows nothing of trials, so that a worker imports nothing of them. Import from its files; this one stays empty, because a worker
redirects its output before anything is imported.
"""
