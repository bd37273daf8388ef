"""Tables to plotly figures. No Streamlit, no torch."""
