"""Put a Keras preset into the image: real weights where they can be had, else untrained ones.

Runs once, while the image is built; `tinybert` is what people use afterwards.
"""
