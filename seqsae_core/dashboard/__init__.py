"""The only Streamlit in the package: what the pages share."""
