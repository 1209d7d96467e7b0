"""The rules of a batch job, without processes."""

import pytest

from lazulite.batch.journal import Kind, Record
from lazulite.batch.policy import Policy, Rules
from lazulite.core.errors import SpecError


def policy(mini_batches=3, *, retries=2, threshold=-1, starts=3, recovered=()):
    rules = Rules(max_retries=retries, error_threshold=threshold, failed_starts=starts)
    return Policy(rules, mini_batches, mini_batches * 10, recovered)


def test_mini_batches_are_taken_in_input_order():
    job = policy(4)
    assert job.take(3) == [0, 1, 2]
    assert job.take(3) == [3]
    assert job.take(3) == []


def test_what_was_not_begun_goes_back_in_front_without_an_attempt():
    job = policy(4)
    job.take(3)
    job.give_back([2, 1])
    assert job.take(4) == [1, 2, 3]
    assert job.counts.retries == 0


def test_a_mini_batch_is_tried_once_more_than_max_retries():
    job = policy(1, retries=2)
    kinds = []
    for _ in range(3):
        (number,) = job.take(1)
        kinds.append(job.attempt_failed(number, 10, "it broke").kind)
    assert kinds == [Kind.ATTEMPT, Kind.ATTEMPT, Kind.FAILED]
    assert job.is_over
    assert (job.counts.retries, job.counts.failed_items, job.counts.failed_mini_batches) == (
        2,
        10,
        1,
    )


def test_a_late_result_of_a_decided_mini_batch_is_not_kept():
    job = policy(1)
    job.take(1)
    assert job.returned(0, 10, 10, 10, b"rows").payload == b"rows"
    assert job.returned(0, 10, 10, 10, b"again") is None
    assert job.attempt_failed(0, 10, "it broke") is None
    assert job.counts.rows == 10


def test_a_short_return_counts_failed_items_and_is_not_tried_again():
    job = policy(1)
    job.take(1)
    assert job.returned(0, 10, 7, 7).kind is Kind.DONE
    assert (job.is_over, job.counts.failed_items, job.counts.succeeded_items) == (True, 3, 7)


def test_more_rows_than_files_are_fine():
    job = policy(1)
    job.take(1)
    job.returned(0, 10, 25, 25)
    assert (job.counts.rows, job.counts.succeeded_items, job.counts.failed_items) == (25, 10, 0)


@pytest.mark.parametrize(("threshold", "aborts"), [(2, True), (3, False), (-1, False)])
def test_the_job_aborts_when_failed_files_exceed_the_threshold(threshold, aborts):
    job = policy(2, threshold=threshold)
    job.take(2)
    job.returned(0, 10, 7, 7)
    if not aborts:
        job.check(ready=1)
        return
    with pytest.raises(
        SpecError, match="3 input files failed, which exceeds the error_threshold of 2"
    ):
        job.check(ready=1)


def test_a_job_without_any_succeeded_item_fails_whatever_the_threshold():
    job = policy(1, retries=0)
    job.take(1)
    job.attempt_failed(0, 10, "it broke")
    with pytest.raises(SpecError, match="no succeeded mini batch item"):
        job.check(ready=1)


def test_failed_starts_end_the_job_only_while_no_process_is_ready():
    job = policy(starts=3)
    for _ in range(3):
        job.start_failed("boom", hung=False)
    job.check(ready=1)
    with pytest.raises(SpecError, match="boom"):
        job.check(ready=0)


def test_failed_starts_do_not_end_the_job_while_another_process_is_in_its_first_init():
    job = policy(starts=3)
    for _ in range(10):
        job.start_failed("boom", hung=False)
    job.check(ready=0, untried=1)
    with pytest.raises(SpecError, match="boom"):
        job.check(ready=0, untried=0)


def test_a_process_that_worked_forgives_failed_starts():
    job = policy(starts=3)
    job.take(1)
    job.start_failed("boom", hung=False)
    job.start_failed("boom", hung=False)
    job.returned(0, 10, 10, 10)
    job.start_failed("boom", hung=False)
    job.check(ready=0)


def test_a_hanging_init_ends_the_job_at_once():
    job = policy(starts=300)
    job.start_failed("init() did not finish within 5 s", hung=True)
    with pytest.raises(SpecError, match="did not finish"):
        job.check(ready=0)


def test_a_resumed_job_keeps_counts_and_attempts():
    before = [
        Record(1, Kind.DONE, 1, 10, 9, 9),
        Record(2, Kind.ATTEMPT, 1, 10, 0, 0),
        Record(0, Kind.FAILED, 3, 10, 0, 0),
    ]
    job = policy(4, retries=1, recovered=before)
    assert job.take(9) == [2, 3]
    assert (job.counts.done, job.counts.failed_items, job.counts.retries) == (2, 11, 1)
    assert job.attempt_failed(2, 10, "it broke").kind is Kind.FAILED


@pytest.mark.parametrize(("allowed", "fails"), [(1, True), (2, False)])
def test_more_failed_mini_batches_than_allowed_fail_the_job_at_once(allowed, fails):
    rules = Rules(max_retries=0, error_threshold=-1, failed_starts=3, allowed_failed_count=allowed)
    job = Policy(rules, 10, 100)
    for number in job.take(2):
        job.attempt_failed(number, 10, "it broke")
    if fails:
        with pytest.raises(SpecError, match=r"2 of 10 mini-batches failed.*count of 1"):
            job.check(ready=1)
    else:
        job.check(ready=1)


@pytest.mark.parametrize(("percent", "fails"), [(19.5, True), (20, False)])
def test_the_share_of_failed_mini_batches_counts_in_the_end(percent, fails):
    rules = Rules(
        max_retries=0, error_threshold=-1, failed_starts=3, allowed_failed_percent=percent
    )
    job = Policy(rules, 10, 100)
    for number in job.take(2):
        job.attempt_failed(number, 10, "it broke")
    job.check(ready=1)
    for number in job.take(8):
        job.returned(number, 10, 10, 10)
    if fails:
        with pytest.raises(SpecError, match=r"percent of 19\.5"):
            job.check(ready=1)
    else:
        job.check(ready=1)
