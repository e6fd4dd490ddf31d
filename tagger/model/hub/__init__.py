"""Models on the Hugging Face hub, in both directions. Only JSON, safetensors and texts for people go over the network.

`address.py` reads `hf://owner/name@revision`, `downloading.py` fetches such a model into the cache of
`huggingface_hub`, and `uploading.py` publishes a model with the card that `card.py` completes.
"""
