"""The families of models that can be read, and what pages call them."""

FAMILIES = {
    "rectools-sasrec": "RecTools’ SASRec",
    "rectools-bert4rec": "RecTools’ BERT4Rec",
    "own": "A model of your own",
}
