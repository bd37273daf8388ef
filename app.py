"""The dashboard's script, which its server runs: `python -m seqsae_core serve STUDY`."""

from seqsae_core.dashboard import navigation

navigation.setup().run()
