"""How many frames are looked at, worked by hand on times and small grey pictures."""

import numpy as np
import pytest

from edge_app.pace import COLUMNS, ROWS, Pace, UInt8, has_moved, next_pace, small_grey

STILL = np.full((ROWS, COLUMNS), 100, dtype=np.uint8)


def with_cell(value: int) -> UInt8:
    """STILL with another value in one cell of its corner."""
    grey = STILL.copy()
    grey[0, 0] = value
    return grey


def looked_at(frames: list[tuple[float, UInt8]], min_interval_s: float = 0.0) -> list[float]:
    """When which of the frames are looked at."""
    pace, times_s = None, []
    for captured_s, grey in frames:
        pace, is_due = next_pace(pace, grey, captured_s, min_interval_s)
        if is_due:
            times_s.append(captured_s)
    return times_s


def camera(fps: int, seconds: float) -> list[float]:
    """When a camera of so many frames a second takes them."""
    return [number / fps for number in range(round(fps * seconds))]


def test_cells_are_means_in_grey() -> None:
    frame_rgb = np.full((480, 640, 3), (250, 0, 0), dtype=np.uint8)
    frame_rgb[:40, :20] = 255  # the left half of the first cell: R 252.5, G and B 127.5, each rounded to even
    grey = small_grey(frame_rgb)
    assert grey.shape == (ROWS, COLUMNS)
    # 0.299 * 252 + 0.587 * 128 + 0.114 * 128 = 165.1; 0.299 * 250 = 74.75
    assert grey[0, 0] == pytest.approx(165, abs=1)
    assert set(grey.ravel()[1:].tolist()) == {75}


def test_one_cell_that_changes_is_movement_and_noise_is_not() -> None:
    assert [has_moved(STILL, with_cell(value)) for value in (92, 93, 100, 107, 108)] == [
        True,
        False,
        False,
        False,
        True,
    ]
    assert has_moved(with_cell(255), with_cell(0))
    wall_rgb = np.full((480, 640, 3), 128, dtype=np.uint8)
    random = np.random.default_rng(0)
    noisy = [
        small_grey((wall_rgb + random.normal(0, 12, wall_rgb.shape)).clip(0, 255).astype(np.uint8)) for _ in range(5)
    ]
    assert not any(has_moved(noisy[0], grey) for grey in noisy[1:])


def test_nothing_moves_two_frames_a_second_after_a_second_and_a_half() -> None:
    times_s = looked_at([(t, STILL) for t in camera(32, 4)])
    assert times_s[:48] == camera(32, 1.5)
    assert times_s[48:] == [1.96875, 2.46875, 2.96875, 3.46875, 3.96875]  # half a second after 1.46875, and so on


def test_the_first_frame_in_which_something_moves_is_looked_at_and_those_after_it() -> None:
    frames = [(t, STILL if t < 4 else with_cell(150)) for t in camera(32, 8)]
    times_s = [t for t in looked_at(frames) if t > 3.5]
    assert times_s[:2] == [3.96875, 4.0]
    moving_s = [t for t in times_s if 4 <= t < 5.5]
    assert moving_s == [t for t in camera(32, 5.5) if t >= 4]
    assert [t for t in times_s if t > 6.5] == [6.96875, 7.46875, 7.96875]


def test_slow_movement_is_seen_too() -> None:
    # 20 steps of grey a second, less than one between two frames
    frames = [(t, with_cell(round(100 + 20 * t))) for t in camera(32, 6)]
    assert looked_at(frames) == camera(32, 6)


@pytest.mark.parametrize(("fps", "max_fps"), [(30, 10.0), (30, 7.0), (25, 10.0), (32, 1.0)])
def test_no_more_frames_a_second_than_allowed_and_no_fewer(fps: int, max_fps: float) -> None:
    frames = [(t, with_cell(100 + 50 * (n % 2))) for n, t in enumerate(camera(fps, 20))]
    assert abs(len(looked_at(frames, 1 / max_fps)) - 20 * max_fps) <= 1


def test_a_rate_below_two_stays_when_nothing_moves() -> None:
    assert looked_at([(t, STILL) for t in camera(32, 10)], min_interval_s=4.0) == [0.0, 4.0, 8.0]


def test_after_a_gap_nothing_is_made_up_for() -> None:
    pace = Pace(STILL, 0.0, 0.0, 0.0)
    after, is_due = next_pace(pace, with_cell(200), 10.0, 0.25)
    assert is_due
    assert (after.seen_s, after.moved_s, after.due_s) == (10.0, 10.0, 10.0)
    assert next_pace(after, with_cell(0), 10.125, 0.25)[1] is False
