"""How a text is split: into words by tables of rules, and into sentences at marks."""
