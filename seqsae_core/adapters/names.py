"""The families of models that can be read, and what pages call them."""

FAMILIES = {
    "rectools-sasrec": "RecTools’ SASRec",
    "rectools-bert4rec": "RecTools’ BERT4Rec",
    "recbole-sasrec": "RecBole’s SASRec",
    "recbole-gru4rec": "RecBole’s GRU4Rec",
    "gpt2": "GPT-2 (Hugging Face)",
    "own": "A model of your own",
}
