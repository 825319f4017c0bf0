"""Step 2 of a new run: what is trained, one card a recipe."""

import streamlit as st

from core.training.config import Recipe
from core.training.data import DataSet, check_classes
from pages.ui.training_words import RECIPES, recipe_for

STATE = "recipe"


def choose(data: DataSet | None) -> Recipe | None:
    """The cards; only those that fit the data set can be chosen. None while no images are chosen."""
    fitting = [recipe for recipe, words in RECIPES.items() if data is not None and words.kind is data.kind]
    chosen: Recipe | None = st.session_state.get(STATE)
    if data is not None and chosen not in fitting:
        chosen = st.session_state[STATE] = recipe_for(data.kind, data.classes)
    with st.grid(3, min_column_width=200):
        for recipe, words in RECIPES.items():
            with st.container(border=True, height="stretch", gap="xsmall", key=f"recipe_card-{recipe.value}"):
                st.markdown(f"{words.icon} **{words.title}**")
                st.caption(words.sentence)
                st.space("stretch")
                taken = recipe is chosen and data is not None
                st.button(
                    "Chosen" if taken else "Choose",
                    icon=":material/check:" if taken else None,
                    type="primary" if taken else "secondary",
                    key=f"recipe-{recipe.value}",
                    disabled=recipe not in fitting,
                    help=None if recipe in fitting else _needs(recipe, data),
                    on_click=_take,
                    args=(recipe,),
                    width="stretch",
                )
    if data is None or chosen is None:
        return None
    note = check_classes(data, chosen)
    if note:
        st.info(note, icon=":material/info:")
    return chosen


def _take(recipe: Recipe) -> None:
    st.session_state[STATE] = recipe


def _needs(recipe: Recipe, data: DataSet | None) -> str:
    if data is None:
        return "Choose images first."
    return f"Needs {'pairs of H&E and IHC' if RECIPES[recipe].kind.value == 'pairs' else 'images in classes'}."
