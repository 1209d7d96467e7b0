from lazulite.batch.pace import WINDOW_S, Pace


def test_nobody_can_tell_at_once():
    pace = Pace()
    assert (pace.items_per_s, pace.remaining_s(5)) == (None, None)
    pace.look(10, 100)
    pace.look(10.5, 200)
    assert pace.items_per_s is None


def test_what_a_resumed_job_had_before_is_not_counted_as_fast():
    pace = Pace()
    pace.look(0, 100_000)
    pace.look(10, 100_050)
    assert (pace.items_per_s, pace.remaining_s(20)) == (5, 4)


def test_only_the_last_minute_counts():
    pace = Pace()
    for second in range(1000):
        pace.look(second, second if second < 500 else 500 + (second - 500) * 10)
    assert abs(pace.items_per_s - 10) < 0.1
    for second in range(1000, 1000 + int(WINDOW_S)):
        pace.look(second, 5490)
    assert pace.remaining_s(1) is None or pace.remaining_s(1) > 1
