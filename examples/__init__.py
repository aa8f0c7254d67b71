"""Small programs that show how to use soundviews from Python; tests run each of them."""
