"""What to say and how to hand it over: content, messages, links, codes and channels."""
