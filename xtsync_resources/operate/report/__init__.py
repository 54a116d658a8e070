"""`xtsync report`: a page about a pair, or about all of them."""
