from lazulite.batch.cluster import Node, NodeState, Scale, plan
from lazulite.batch.shares import Demand

SCALE = Scale(least=0, most=4, idle_s=120)


def node(name, state, job=None, since=0.0):
    return Node(id=name, state=state, job=job, since=since)


def test_without_work_a_cluster_stays_at_its_minimum():
    assert plan([], [], SCALE, 0).start == 0
    assert plan([], [], Scale(least=2, most=4, idle_s=1), 0).start == 2


def test_it_grows_by_what_jobs_ask_for_up_to_its_maximum():
    demands = [Demand(job="a", nodes=3), Demand(job="b", nodes=3)]
    assert plan([], demands, SCALE, 0).start == 4


def test_idle_nodes_go_to_the_job_that_came_first():
    nodes = [node("n0", NodeState.IDLE), node("n1", NodeState.IDLE)]
    seen = plan(nodes, [Demand(job="a", nodes=1), Demand(job="b", nodes=2)], SCALE, 5)
    assert [n.job for n in seen.nodes] == ["a", "b"]
    assert seen.start == 1


def test_a_node_that_prepares_is_counted_but_not_handed_out():
    seen = plan([node("n0", NodeState.PREPARING)], [Demand(job="a", nodes=1)], SCALE, 5)
    assert seen.nodes[0].job is None
    assert seen.start == 0


def test_nodes_of_an_ended_job_serve_the_next_one():
    nodes = [node("n0", NodeState.RUNNING, "a")]
    assert plan(nodes, [Demand(job="b", nodes=1)], SCALE, 5).nodes[0].job == "b"


def test_idle_nodes_leave_after_their_time_the_longest_idle_first():
    nodes = [node("n0", NodeState.IDLE, since=50), node("n1", NodeState.IDLE, since=10)]
    states = [n.state for n in plan(nodes, [], SCALE, 140).nodes]
    assert states == [NodeState.IDLE, NodeState.LEAVING]
    assert [n.state for n in plan(nodes, [], SCALE, 100).nodes] == [NodeState.IDLE] * 2


def test_a_cluster_never_shrinks_below_its_minimum():
    nodes = [node("n0", NodeState.IDLE), node("n1", NodeState.IDLE)]
    seen = plan(nodes, [], Scale(least=1, most=4, idle_s=0), 500)
    assert sorted(n.state for n in seen.nodes) == [NodeState.IDLE, NodeState.LEAVING]


def test_a_lost_node_is_replaced_while_its_job_runs():
    seen = plan([node("n0", NodeState.RUNNING, "a")], [Demand(job="a", nodes=2)], SCALE, 5)
    assert seen.start == 1


def test_a_large_job_gives_its_latest_node_to_a_small_one_and_gets_it_back():
    nodes = [node("n0", NodeState.RUNNING, "large", 5), node("n1", NodeState.RUNNING, "large", 1)]
    scale = Scale(least=0, most=2, idle_s=0)
    large, small = Demand(job="large", nodes=2), Demand(job="small", nodes=2)
    seen = plan(nodes, [large, small], scale, 9)
    assert [n.job for n in seen.nodes] == ["small", "large"]
    assert [n.job for n in plan(seen.nodes, [large], scale, 10).nodes] == ["large", "large"]


def test_an_unusable_node_holds_its_place_and_an_evicted_one_does_not():
    demands = [Demand(job="a", nodes=1)]
    assert plan([node("n0", NodeState.UNUSABLE)], demands, SCALE, 5).start == 0
    assert plan([node("n0", NodeState.PREEMPTED)], demands, SCALE, 5).start == 1
