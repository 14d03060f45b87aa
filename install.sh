#!/usr/bin/env bash
# The front door: makes the environment from hash-locked requirements and starts what was asked for.
#
# Laws: nothing is fetched but Debian packages and the hash-locked Python packages; where something is missing and cannot
# be installed, it says in plain words what; every step may be run again.
set -euo pipefail

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
VENV="$HERE/.venv"
readonly HERE VENV
TRANSLATED_ROOMS=(tui edge_node sync_agent city_gateway provisioning)

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
stop() {
    printf '%s\n' "$@" >&2
    exit 1
}
is_root() { [ "$(id -u)" -eq 0 ]; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- Debian packages ------------------------------------------------------------------------------------------------

APT_UPDATED=no
apt_install() {
    if [ "$APT_UPDATED" = no ]; then
        apt-get update -qq >/dev/null || say "软件源更新失败，用已有的列表继续 / apt-get update failed, going on"
        APT_UPDATED=yes
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# need COMMAND PACKAGE WHAT-FOR: install a Debian package when a command is missing; false if it stays missing
need() {
    has "$1" && return 0
    if is_root && has apt-get; then
        say "安装 $2 / installing $2 ($3)"
        apt_install "$2" || true
    fi
    has "$1" && return 0
    say "缺少 $2，请以 root 运行：apt-get install $2 / $2 is missing ($3): as root, apt-get install $2"
    return 1
}

# --- Python environment ---------------------------------------------------------------------------------------------

good_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
makes_venvs() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 /usr/bin/python3; do
        if good_python "$candidate" && makes_venvs "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

python_for_venv() {
    find_python && return 0
    if ! good_python "${PYTHON:-python3}"; then
        stop "需要 Python 3.11 或更新(Debian 12 自带)。" "Python 3.11 or newer is needed (Debian 12 has it)."
    fi
    if is_root && has apt-get; then
        say "安装 python3-venv / installing python3-venv"
        apt_install python3-venv || true
        find_python && return 0
    fi
    stop "本机的 Python 缺少 venv 和 ensurepip。请以 root 运行：apt-get install python3-venv，再重新运行本命令。" \
        "This Python cannot make virtual environments. As root: apt-get install python3-venv, then run this again."
}

# make_environment VENV LOCK: idempotent; the stamp says which lock the environment was made from
make_environment() {
    local venv="$1" lock="$2" stamp wanted python
    stamp="$venv/.made-from-$(basename "$lock")"
    wanted="$(sha256sum <"$lock")"
    if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return 0
    fi
    if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
        python="$(python_for_venv)"
        say "建立 Python 环境 / making the environment with $python"
        "$python" -m venv --clear "$venv"
    fi
    say "安装依赖（按哈希锁定）/ installing hash-locked requirements from $(basename "$lock") …"
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input -qq --require-hashes -r "$lock"
    printf '%s\n' "$wanted" >"$stamp"
}

# link_project VENV FOLDER: the rooms are importable from the environment without being copied into it
link_project() {
    printf '%s\n' "$2" >"$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/guangan.pth"
}

compile_wording() {
    local venv="$1" folder="$2" room
    for room in "${TRANSLATED_ROOMS[@]}"; do
        compgen -G "$folder/$room/locale/*/LC_MESSAGES/$room.po" >/dev/null || continue
        "$venv/bin/pybabel" -q compile -d "$folder/$room/locale" -D "$room"
    done
}

environment() {
    local lock="$HERE/requirements.lock" test_lock="$HERE/requirements-test.lock"
    # an environment made for the tests holds everything the product needs
    if [ "${1:-}" = --test ] || [ "$(cat "$VENV/.made-from-requirements-test.lock" 2>/dev/null)" = "$(sha256sum <"$test_lock")" ]; then
        lock="$test_lock"
    fi
    make_environment "$VENV" "$lock"
    link_project "$VENV" "$HERE"
    compile_wording "$VENV" "$HERE"
}

# --- demo and test --------------------------------------------------------------------------------------------------

demo() {
    local option kind=""
    for option in "$@"; do
        [ "$option" = --postgres ] && kind=--test # the PostgreSQL that needs no installation is a test requirement
    done
    environment $kind
    cd "$HERE"
    exec "$VENV/bin/python" -m provisioning demo "$@"
}

test_everything() {
    local missing=() failed=() selection="not full" tally=""
    if [ "${1:-}" = --faults ]; then
        selection="full or not full"
        tally="$(mktemp)"
        export HYPOTHESIS_PROFILE=full GUANGAN_FAULT_TALLY="$tally"
    fi
    environment --test
    need chromium chromium "township page in a real browser" || missing+=(chromium)
    need fc-list fontconfig "fonts" || missing+=(fontconfig)
    if ! fc-list 2>/dev/null | grep -qi cjk && is_root && has apt-get; then
        apt_install fonts-noto-cjk || missing+=(fonts-noto-cjk)
    fi
    need pdftotext poppler-utils "printed papers" || missing+=(poppler-utils)
    need strace strace "fault tests" || missing+=(strace)
    need mkfs.ext4 e2fsprogs "power cuts" || missing+=(e2fsprogs)
    need mkfs.xfs xfsprogs "power cuts" || missing+=(xfsprogs)
    need fusermount3 fuse3 "torn writes" || missing+=(fuse3)
    need systemd-analyze systemd "score of the units" || missing+=(systemd)
    need shellcheck shellcheck "this script" || missing+=(shellcheck)
    [ ${#missing[@]} -eq 0 ] || say "没有它们，相应的测试会失败 / the tests that need these will fail: ${missing[*]}"
    cd "$HERE"
    check() {
        say "== $*"
        "$@" || failed+=("$(basename "$1") ${2:-}")
    }
    check shellcheck "$HERE/install.sh" "$HERE/.ci/run" "$HERE/provisioning/units/guangan-node"
    check "$VENV/bin/ruff" check .
    check "$VENV/bin/ruff" format --check .
    check "$VENV/bin/mypy"
    check "$VENV/bin/lint-imports"
    [ ${#failed[@]} -eq 0 ] || say "未通过 / failed before the tests: ${failed[*]}"
    say "== pytest"
    "$VENV/bin/pytest" -n 2 --dist loadfile --no-loadscope-reorder -m "$selection" || failed+=(pytest)
    if [ -n "$tally" ]; then
        "$VENV/bin/python" -m tests.faults.report "$tally" --command "./install.sh test --faults" >"$HERE/docs/fault-report.md"
        rm -f "$tally"
        say "== docs/fault-report.md"
    fi
    [ ${#failed[@]} -eq 0 ]
}

# --- a real node ----------------------------------------------------------------------------------------------------

node() { bash "$HERE/provisioning/units/install-node" install "$@"; }
uninstall() {
    only uninstall --purge-data "$@"
    bash "$HERE/provisioning/units/install-node" uninstall "$@"
}

usage() {
    cat <<'EOT'
  ./install.sh demo [--once] [--report 文件] [--postgres] [--seed 数]
        在本机演示一天，然后保持运行 / one day on this machine, then stays up
  ./install.sh test [--faults]
        全部检查；--faults 加上长时间的故障试验 / every check; --faults adds the long counts
  ./install.sh environment [--test]
        只建 Python 环境 .venv / only make .venv
  ./install.sh node --role village|township --gateway 网址 --code 开通码 [--page 地址:端口]
        安装一个节点（root、systemd）/ install a node
  ./install.sh node --role village|township --stick U盘文件夹 --code 开通码
        没有网络：申请写在U盘上送市级，带回答复后原样再运行一次 / without a line: by stick, run twice
  ./install.sh uninstall [--purge-data]
        移除程序；--purge-data 连数据一起删 / remove it; --purge-data removes the data, too
EOT
}

# only COMMAND OPTION GIVEN…: a mistyped option is told, not passed over
only() {
    local command="$1" allowed="$2" given
    shift 2
    for given in "$@"; do
        [ "$given" = "$allowed" ] || stop "$command 没有 $given 这个选项，只有 $allowed。" \
            "$command has no option $given, only $allowed."
    done
}

main() {
    local command="${1:-help}"
    [ $# -eq 0 ] || shift
    case "$command" in
        demo) demo "$@" ;;
        test)
            only "$command" --faults "$@"
            test_everything "$@"
            ;;
        environment)
            only "$command" --test "$@"
            environment "$@"
            ;;
        node) node "$@" ;;
        uninstall) uninstall "$@" ;;
        help | -h | --help) usage ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
}

# Sourced by provisioning/units/install-node for its functions; run by everyone else.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    main "$@"
fi
