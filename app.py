"""The dashboard's door: `streamlit run app.py`."""

from seqsae_core.dashboard import navigation

navigation.setup().run()
