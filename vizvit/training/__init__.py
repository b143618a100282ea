"""Making weights: a Vision Transformer trained from scratch or finetuned, and measured, on two cores or on a GPU.

encoded pictures -> sources.py  -> rows: bytes, label, box
                 -> pixels.py   -> uint8 [picture, 3, side, side], decoded once
                 -> augment.py  -> whole batches, on the device
                 -> run.py      -> checkpoints, a log, a directory for `load_model`
"""
