"""Compares two transcripts word by word."""

import re


def words(text):
    return re.findall(r"[a-z0-9']+", text.lower())


def lost_and_doubled(reference, other):
    """Words of `reference` missing in `other`, and words of `other` too many: deletions and insertions
    of the cheapest word alignment (Levenshtein); a substitution is one of each."""
    a, b = words(reference), words(other)
    # cost[j] = (edits, lost, doubled) of the best alignment of a[:i] with b[:j]
    cost = [(j, 0, j) for j in range(len(b) + 1)]
    for i, word in enumerate(a, 1):
        row = [(i, i, 0)]
        for j, seen in enumerate(b, 1):
            edits, lost, doubled = cost[j - 1]
            same = (edits, lost, doubled) if word == seen else (edits + 1, lost + 1, doubled + 1)
            edits, lost, doubled = cost[j]
            deleted = (edits + 1, lost + 1, doubled)
            edits, lost, doubled = row[j - 1]
            inserted = (edits + 1, lost, doubled + 1)
            row.append(min(same, deleted, inserted))
        cost = row
    return cost[-1][1], cost[-1][2]
