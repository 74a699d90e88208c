"""A stretch of a station's days as pictures: what an engineer looks at to judge whether a plant behaves like one."""

from simulators.pictures.course import Course
from simulators.pictures.page import page

__all__ = ["Course", "page"]
