"""The table of moves against a naive one that is written out move by move (law.md §7.3-3), and against itself."""

from itertools import product

from casework.requests.moves import (
    ANSWER_TEXTS,
    MOVE_TEXTS,
    MOVES,
    PARTY_TEXTS,
    STATE_TEXTS,
    AnswerKind,
    Party,
    State,
    find_move,
    parties_that_may,
)

WRITTEN_OUT = """
edit       draft              -           draft              clerk head
edit       supplement         -           supplement         clerk head
submit     draft              -           head_review        clerk head
submit     supplement         -           supplement_review  clerk head
approve    head_review        -           conformity         head
approve    supplement_review  -           provider_review    head
send_back  head_review        -           draft              head
send_back  supplement_review  -           supplement         head
send_back  conformity         -           draft              bureau
send_back  answer_review      -           provider_review    provider_head
check      conformity         -           provider_review    bureau
extend     provider_review    -           extension_review   provider provider_head
consent    extension_review   -           provider_review    bureau
decline    extension_review   -           provider_review    bureau
answer     provider_review    -           answer_review      provider provider_head
answer     extension_review   -           answer_review      provider provider_head
confirm    answer_review      agree       supplying          provider_head
confirm    answer_review      refuse      refused            provider_head
confirm    answer_review      supplement  supplement         provider_head
confirm    answer_review      reroute     conformity         provider_head
supply     supplying          -           in_use             provider provider_head bureau
suspend    in_use             -           suspended          provider provider_head bureau
resume     suspended          -           in_use             provider provider_head bureau
end        supplying          -           ended              clerk head
end        in_use             -           ended              clerk head bureau
end        suspended          -           ended              clerk head provider provider_head bureau
expire     supplying          -           ended              bureau
expire     in_use             -           ended              bureau
expire     suspended          -           ended              bureau
report_use in_use             -           in_use             clerk head
report_use suspended          -           suspended          clerk head
report_use ended              -           ended              clerk head
dispose    ended              -           disposed           clerk head
archive    disposed           -           archived           provider provider_head bureau
archive    refused            -           archived           clerk head bureau
archive    withdrawn          -           archived           clerk head bureau
withdraw   draft              -           withdrawn          clerk head
withdraw   head_review        -           withdrawn          clerk head
withdraw   conformity         -           withdrawn          clerk head
withdraw   provider_review    -           withdrawn          clerk head
withdraw   extension_review   -           withdrawn          clerk head
withdraw   answer_review      -           withdrawn          clerk head
withdraw   supplement         -           withdrawn          clerk head
withdraw   supplement_review  -           withdrawn          clerk head
"""


def naive(name: str, state: State, answer: AnswerKind | None) -> tuple[str, set[str]] | None:
    for line in WRITTEN_OUT.strip().splitlines():
        move, before, waiting, after, *parties = line.split()
        if (move, before) == (name, state.value) and waiting in ("-", answer.value if answer else ""):
            return after, set(parties)
    return None


def test_each_move_of_the_table_is_the_one_written_out() -> None:
    for name, state, answer in product(MOVES, State, [None, *AnswerKind]):
        move, expected = find_move(name, state, answer), naive(name, state, answer)
        assert (None if move is None else (move.after.value, {party.value for party in move.by})) == expected, (name, state, answer)


def test_no_two_lines_of_a_move_fit_the_same_request() -> None:
    for name, state, answer in product(MOVES, State, AnswerKind):
        assert sum(state in move.before and move.answer in (None, answer) for move in MOVES[name]) <= 1, (name, state)


def test_whoever_approves_consents_or_answers_is_another_than_who_asked() -> None:
    """L-02: the three moves that let something out of a department, and the bureau's consent."""
    assert {name for name, moves in MOVES.items() if any(move.not_by for move in moves)} == {"approve", "consent", "confirm", "archive"}


def test_every_state_is_reached_and_left_but_the_archive() -> None:
    reached = {move.after for moves in MOVES.values() for move in moves} | {State.DRAFT}
    left = {state for moves in MOVES.values() for move in moves for state in move.before}
    assert (reached, left) == (set(State), set(State) - {State.ARCHIVED})


def test_every_move_state_party_and_answer_has_its_words_and_its_rule() -> None:
    assert set(MOVE_TEXTS) == {*MOVES, "draft", "impact"}
    assert (set(STATE_TEXTS), set(PARTY_TEXTS), set(ANSWER_TEXTS)) == (set(State), set(Party), set(AnswerKind))
    assert all(move.rule for moves in MOVES.values() for move in moves)
    assert all(parties_that_may(name) for name in MOVES)
