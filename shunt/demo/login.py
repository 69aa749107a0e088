"""A simulated login: the token pair that the demo's vendor has given out for one account. Pure."""

from __future__ import annotations

from attrs import evolve, frozen


@frozen
class SimulatedLogin:
    """Access tokens come in generations; each refresh makes the next one, and each works once."""

    account: str
    generation: int = 1
    ended: int = 0
    """Access tokens up to this generation are refused with a 401."""

    @property
    def access(self) -> str:
        """The newest access token."""
        return f"sk-ant-oat01-demo-{self.account}-{self.generation}"

    @property
    def refresh(self) -> str:
        """The one refresh token that still works."""
        return f"sk-ant-ort01-demo-{self.account}-{self.generation}"

    def accepts(self, access: str) -> bool:
        """Whether an access token opens anything."""
        return access == self.access and self.generation > self.ended

    def end(self) -> SimulatedLogin:
        """End the access tokens given out so far; the refresh token stays good."""
        return evolve(self, ended=self.generation)

    def rotate(self, refresh: str) -> SimulatedLogin | None:
        """Give out the next pair; None for a refresh token that was used before or was never ours."""
        return evolve(self, generation=self.generation + 1) if refresh == self.refresh else None
