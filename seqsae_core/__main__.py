"""The command line: building, opening, measuring, steering and exporting studies; imports; reviews."""

import argparse
import json
import os
import sys
from dataclasses import asdict, fields
from pathlib import Path

from seqsae_core.config import ARCHITECTURES, COLUMN_ROLES, PRESETS, SPLITS, StudyConfig, preset
from seqsae_core.errors import UserError
from seqsae_core.files import refusal

DEFAULT_STUDY = "studies/movietweetings"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0, or 2 with one line on what the user can mend."""
    options = _parser().parse_args(arguments)
    if getattr(options, "trust", False):
        os.environ["SEQSAE_TRUST"] = "1"
    try:
        options.run(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if not refusal(error):
            raise
        print(f"error: {error.filename or 'The output'}: {refusal(error)}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on where this one left off.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m seqsae_core", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    build = verbs.add_parser("build", help="build what is missing or stale in a study")
    _build_options(build)
    build.add_argument("--out", type=Path, default=Path(DEFAULT_STUDY), help="the study's folder")
    build.set_defaults(run=_build)
    serve = verbs.add_parser("serve", help="open the dashboard on a study")
    serve.add_argument("out", type=Path, nargs="?", default=Path(DEFAULT_STUDY), metavar="DIR")
    serve.add_argument("--build", action="store_true", help="build what is missing meanwhile")
    serve.add_argument("--port", type=int, default=8501)
    serve.add_argument("--host", default="localhost")
    _build_options(serve)
    serve.set_defaults(run=_serve)
    _recommend_options(verbs.add_parser("recommend", help="print what a history leads to"))
    for name, run, text in (("metrics", _metrics, "print the quoted figures as JSON"),
                            ("extras", _extras, "add rivals, re-trainings and curves (up to 20 minutes)")):  # fmt: skip
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("out", type=Path, metavar="DIR")
        verb.set_defaults(run=run)
    _sweep_options(verbs.add_parser("sweep", help="train and screen other dictionaries of a study"))
    _import_options(verbs.add_parser("import-dictionary", help="bring in a dictionary of SAELens or sparsify"))
    _convert_options(verbs.add_parser("convert", help="a checkpoint of another library as a folder for build --model"))
    use = verbs.add_parser("use", help="make a dictionary of a study its default, with all its evidence")
    use.add_argument("out", type=Path, metavar="DIR")
    use.add_argument("dictionary", metavar="DICTIONARY", help="a name that the page Dictionaries shows")
    use.set_defaults(run=_use)
    verify = verbs.add_parser("verify", help="compare files with their fingerprints, and measure the figures again")
    verify.add_argument("out", type=Path, metavar="DIR")
    verify.add_argument("--tolerance", type=float, default=1e-6, help="of figures, absolute and relative")
    verify.set_defaults(run=_verify)
    export = verbs.add_parser("export", help="write results for other tools")
    export.add_argument("out", type=Path, metavar="DIR")
    export.add_argument("--format", default="csv", help="csv, json or saelens")
    export.add_argument("--to", type=Path, help="folder to write (default: DIR/export-FORMAT)")
    export.set_defaults(run=_export)
    reviews = verbs.add_parser("reviews", help="write analysts' reviews, or bring an export of them in")
    reviews.add_argument("out", type=Path, metavar="DIR")
    reviews.add_argument("--format", default="json", choices=("json", "csv", "html"), help="html: the report")
    reviews.add_argument("--to", type=Path, help="file to write (default: DIR/reviews.FORMAT)")
    reviews.add_argument("--import", dest="source", type=Path, metavar="FILE", help="an export to bring in")
    reviews.add_argument("--confirm", action="store_true", help="also what is of other dictionaries or latents")
    reviews.set_defaults(run=_reviews)
    return parser


def _build_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default="movietweetings", help="a built-in name, a folder or a file")
    parser.add_argument("--items", help="the item table, where it is a file of its own")
    for role in COLUMN_ROLES:
        parser.add_argument(f"--{role}-column", metavar="NAME", help=f"the column of the {role} (default: guessed)")
    parser.add_argument(
        "--min-interactions", type=int, metavar="N", help="users and items with fewer are left out (default: 5)"
    )
    parser.add_argument("--preset", default="default", help=", ".join(PRESETS))
    parser.add_argument("--model", metavar="FOLDER", help="a converted model of another library, in place of training")
    parser.add_argument("--shared-items", action="store_true", help="only items that --model and the data share")
    parser.add_argument("--trust", action="store_true", help="a model of your own code may run (docs/OWN_MODEL.md)")
    parser.add_argument("--architecture", help=f"{', '.join(ARCHITECTURES)} (default: the preset's own)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", help=f"{', '.join(SPLITS)} (default: the preset's own)")
    parser.add_argument(
        "--time-budget", type=float, metavar="SECONDS", help="what training the recommender may take at most"
    )
    parser.add_argument(
        "--memory", type=float, metavar="GIB", help="larger matrices of activations are kept in a file (default: 1)"
    )


def _recommend_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="DIR")
    parser.add_argument("history", nargs="+", metavar="NAME", help="the history's items, oldest first")
    parser.add_argument("--by", default="title", help="what the names are: title, id or item (number)")
    parser.add_argument("--k", type=int, default=10, help="length of the list")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_recommend)


def _sweep_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="DIR")
    parser.add_argument("--layers", type=int, nargs="+", help="0: embeddings, then blocks, then the final norm "
                        "(default: every block)")  # fmt: skip
    parser.add_argument("--k", type=int, nargs="+", help="active latents (default: 8 16 32)")
    parser.add_argument("--latents", type=int, nargs="+", help="dictionary sizes (default: the study's own)")
    parser.add_argument("--variants", nargs="+", help="topk, batchtopk, matryoshka, relu (default: the study's own)")
    parser.add_argument("--l1", type=float, nargs="+", help="of relu, in place of k (default: 0.5 1 2)")
    parser.add_argument("--steps", type=int, help="training steps (default: the study's own)")
    parser.set_defaults(run=_sweep)


def _import_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="DIR")
    parser.add_argument("source", type=Path, metavar="FOLDER", help="what SAELens or sparsify saved")
    parser.add_argument("--layer", type=int, required=True, help="the layer it was trained on; 0: embeddings, then "
                        "blocks, then the final norm")  # fmt: skip
    parser.add_argument("--name", help="what the study calls it (default: imported- and the folder's name)")
    parser.set_defaults(run=_import)


def _convert_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("library", metavar="LIBRARY", help="what trained it (docs/OWN_MODEL.md lists them)")
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="to write")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="that of the library's environment")
    parser.add_argument("--trust", action="store_true", help="the checkpoint holds a pickle, which may run any code")
    parser.set_defaults(run=_convert)


def _build(options: argparse.Namespace) -> None:
    from seqsae_core.build import build, in_use

    build(options.out, in_use(options.out, chosen(options)))


def chosen(options: argparse.Namespace) -> StudyConfig:
    """The configuration that the options of `build` ask for. Raises UserError as `preset` and `applied` do."""
    from seqsae_core.adapters.folder import applied

    columns = tuple(f"{role}_column" for role in COLUMN_ROLES)
    names = ("min_interactions", "split", "architecture", "time_budget", "memory", *columns)
    choices = {name: getattr(options, name) for name in names}
    config = preset(options.preset, options.seed, options.data, options.items, **choices)
    if options.model is None:
        if options.shared_items:
            raise UserError("--shared-items says which items a model and the data share: name the model with --model.")
        return config
    if options.architecture or options.time_budget:
        raise UserError("--model brings a model that is trained: leave out --architecture and --time-budget.")
    return applied(config, options.model, options.shared_items)


def _serve(options: argparse.Namespace) -> None:
    from seqsae_core.serving import serve

    serve(options.out, options.host, options.port, (lambda: _build(options)) if options.build else None)


def _metrics(options: argparse.Namespace) -> None:
    from seqsae_core.metrics import quoted
    from seqsae_core.study import Study

    print(json.dumps(quoted(Study.open(options.out)), indent=1))


def _recommend(options: argparse.Namespace) -> None:
    from seqsae_core.recommender.recommend import Recommender
    from seqsae_core.study import Study

    recommender = Recommender.from_study(Study.open(options.out))
    items = recommender.lookup.items(options.history, options.by)
    history, rows = recommender.lookup.titles[items - 1].tolist(), recommender.recommend(items, options.k).table()
    if options.json:
        print(json.dumps({"history": history, "recommendations": rows.to_dict("records")}, indent=1))
        return
    print(f"After {', '.join(history)}:")
    for row in rows.itertuples():
        print(f"{row.rank:>4}  {row.score:>9.2f}  {row.title}  [{row.item_id}]")


def _extras(options: argparse.Namespace) -> None:
    from seqsae_core.build import build_extras

    build_extras(options.out)


def _sweep(options: argparse.Namespace) -> None:
    from seqsae_core.sweep import Grid, sweep

    given = {field.name: getattr(options, field.name) for field in fields(Grid)}
    study = sweep(options.out, {name: value for name, value in given.items() if value is not None})
    print(f"{len(study.dictionaries)} dictionaries in {study.path}; the dashboard's page Dictionaries compares them.")


def _import(options: argparse.Namespace) -> None:
    from seqsae_core.importing import import_dictionary

    study = import_dictionary(options.out, options.source, options.layer, options.name)
    print(f"{len(study.dictionaries)} dictionaries in {study.path}; the dashboard's page Dictionaries compares them.")


def _convert(options: argparse.Namespace) -> None:
    from seqsae_core.adapters.converting import convert

    print(convert(options.library, options.checkpoint, options.folder, options.python, options.trust))


def _use(options: argparse.Namespace) -> None:
    from seqsae_core.build import use

    use(options.out, options.dictionary)


def _verify(options: argparse.Namespace) -> None:
    from seqsae_core.verify import verify

    found = verify(options.out, options.tolerance, lambda what: print(f"checking {what}", file=sys.stderr, flush=True))
    print(json.dumps(asdict(found) | {"holds": found.holds}, indent=1))
    if not found.holds:
        wrong = [one.what for one in found.findings if one.wrong]
        raise UserError(f"{options.out} is not what its manifest says: {', '.join(wrong[:5])} ({len(wrong)} in all).")


def _export(options: argparse.Namespace) -> None:
    from seqsae_core.export import export
    from seqsae_core.study import Study

    out = options.to or options.out / f"export-{options.format}"
    print(export(Study.open(options.out), options.format, out))


def _reviews(options: argparse.Namespace) -> None:
    from seqsae_core.reviews import files
    from seqsae_core.study import Study

    study = Study.open(options.out)
    if options.source:
        print(f"{files.import_file(study, options.source, options.confirm)} new events")
        return
    print(files.export_file(study, options.format, options.to or options.out / f"reviews.{options.format}"))


if __name__ == "__main__":
    sys.exit(main())
