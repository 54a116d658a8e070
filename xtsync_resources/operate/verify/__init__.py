"""`xtsync verify`: whether Graph answers in a live pair as the program expects."""
