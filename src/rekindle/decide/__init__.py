"""What to do now for each customer who is due: a pure function of history, journal, documents, policy and instant."""
