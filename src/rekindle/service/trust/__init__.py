"""What a link is trusted with: answers (why a customer stayed away, how content they are, reviews), and a way into the shop."""
