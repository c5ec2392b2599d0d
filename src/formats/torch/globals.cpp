#include "formats/torch/globals.h"

#include <algorithm>

#include "formats/torch/scalar_type.h"

namespace lanthorn {
namespace {

// Names that make plain data. torch/_weights_only_unpickler.py has most of them.
constexpr std::string_view kSafe[] = {
    "__builtin__.bytearray",
    "__builtin__.bytes",
    "__builtin__.complex",
    "__builtin__.dict",
    "__builtin__.float",
    "__builtin__.frozenset",
    "__builtin__.int",
    "__builtin__.list",
    "__builtin__.object",
    "__builtin__.set",
    "__builtin__.slice",
    "__builtin__.str",
    "__builtin__.tuple",
    "__builtin__.xrange",
    "__builtin__.Ellipsis",
    "builtins.bytearray",
    "builtins.bytes",
    "builtins.complex",
    "builtins.dict",
    "builtins.float",
    "builtins.frozenset",
    "builtins.int",
    "builtins.list",
    "builtins.object",
    "builtins.range",
    "builtins.set",
    "builtins.slice",
    "builtins.str",
    "builtins.tuple",
    "builtins.Ellipsis",
    "_codecs.encode",
    "argparse.Namespace",
    "collections.Counter",
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.deque",
    "datetime.date",
    "datetime.datetime",
    "datetime.timedelta",
    "datetime.timezone",
    "decimal.Decimal",
    "fractions.Fraction",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.core.numeric._frombuffer",
    "numpy._core.numeric._frombuffer",
    "numpy.dtype",
    "numpy.ndarray",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.PurePosixPath",
    "pathlib.WindowsPath",
    "pathlib.PureWindowsPath",
    "pathlib._local.PosixPath",
    "uuid.UUID",
    "torch.Size",
    "torch.Tensor",
    "torch.device",
    "torch.Generator",
    "torch._tensor._rebuild_from_type_v2",
    "torch.tensor._rebuild_from_type_v2",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_sparse_csr_tensor",
    "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_nested_tensor",
    "torch._utils._rebuild_wrapper_subclass",
    "torch._utils._rebuild_device_tensor_from_numpy",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor",
    "torch._utils._rebuild_xla_tensor",
    "torch.nn.parameter.Parameter",
    "torch.nn.Parameter",
    "torch.nn.parameter.Buffer",
    "torch.serialization._get_layout",
    "torch.storage.TypedStorage",
    "torch.storage.UntypedStorage",
    "torch.per_tensor_affine",
    "torch.per_channel_affine",
    "torch.per_tensor_symmetric",
    "torch.per_channel_symmetric",
    "torch.per_channel_affine_float_qparams",
    "torch.strided",
    "torch.sparse_coo",
    "torch.sparse_csr",
    "torch.sparse_csc",
    "torch.sparse_bsr",
    "torch.sparse_bsc",
    "torch.contiguous_format",
    "torch.channels_last",
    "torch.preserve_format",
    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.restore_type_tag",
};

struct Danger {
  std::string_view name;  // a module with all that is in it, or one name
  std::string_view reason;
};

constexpr std::string_view kRuns = "runs commands", kEvaluates = "runs Python code",
                           kReaches = "reaches any other function", kFiles = "reaches files",
                           kNetwork = "reaches the network",
                           kUnpickles = "unpickles what it is given",
                           kProcess = "changes the process";

constexpr Danger kDangers[] = {
    {"os", kRuns},
    {"posix", kRuns},
    {"nt", kRuns},
    {"subprocess", kRuns},
    {"_posixsubprocess", kRuns},
    {"pty", kRuns},
    {"commands", kRuns},
    {"popen2", kRuns},
    {"platform", kRuns},
    {"multiprocessing", kRuns},
    {"asyncio", kRuns},
    {"_osx_support", kRuns},
    {"distutils", kRuns},
    {"_pyrepl", kRuns},
    {"pydoc", kRuns},
    {"test", kRuns},
    {"ensurepip", kRuns},
    {"pip", kRuns},
    {"setuptools", kRuns},
    {"venv", kRuns},
    {"webbrowser", kRuns},
    {"antigravity", kRuns},
    {"builtins.eval", kEvaluates},
    {"builtins.exec", kEvaluates},
    {"builtins.compile", kEvaluates},
    {"builtins.__import__", kEvaluates},
    {"builtins.open", kFiles},
    {"builtins.getattr", kReaches},
    {"builtins.setattr", kReaches},
    {"builtins.delattr", kReaches},
    {"builtins.vars", kReaches},
    {"builtins.globals", kReaches},
    {"builtins.locals", kReaches},
    {"builtins.map", kReaches},
    {"builtins.filter", kReaches},
    {"builtins.apply", kReaches},
    {"builtins.execfile", kEvaluates},
    {"builtins.input", kProcess},
    {"builtins.breakpoint", kProcess},
    {"builtins.exit", kProcess},
    {"builtins.quit", kProcess},
    {"builtins.print", kProcess},
    {"builtins.memoryview", kReaches},
    {"sys", kProcess},
    {"importlib", kEvaluates},
    {"imp", kEvaluates},
    {"runpy", kEvaluates},
    {"pkgutil", kReaches},
    {"code", kEvaluates},
    {"codeop", kEvaluates},
    {"timeit", kEvaluates},
    {"cProfile", kEvaluates},
    {"profile", kEvaluates},
    {"trace", kEvaluates},
    {"pdb", kEvaluates},
    {"bdb", kEvaluates},
    {"doctest", kEvaluates},
    {"idlelib", kEvaluates},
    {"lib2to3", kUnpickles},
    {"types", kEvaluates},
    {"marshal", kUnpickles},
    {"pickle", kUnpickles},
    {"_pickle", kUnpickles},
    {"cPickle", kUnpickles},
    {"dill", kUnpickles},
    {"cloudpickle", kUnpickles},
    {"joblib", kUnpickles},
    {"shelve", kUnpickles},
    {"numpy.load", kUnpickles},
    {"pandas.read_pickle", kUnpickles},
    {"operator", kReaches},
    {"_operator", kReaches},
    {"functools", kReaches},
    {"inspect", kReaches},
    {"ctypes", kReaches},
    {"_ctypes", kReaches},
    {"cffi", kReaches},
    {"gc", kReaches},
    {"weakref", kReaches},
    {"shutil", kFiles},
    {"tempfile", kFiles},
    {"io", kFiles},
    {"_io", kFiles},
    {"codecs", kFiles},
    {"fileinput", kFiles},
    {"linecache", kFiles},
    {"zipfile", kFiles},
    {"tarfile", kFiles},
    {"glob", kFiles},
    {"logging", kEvaluates},
    {"socket", kNetwork},
    {"_socket", kNetwork},
    {"ssl", kNetwork},
    {"http", kNetwork},
    {"urllib", kNetwork},
    {"urllib2", kNetwork},
    {"requests", kNetwork},
    {"httplib", kNetwork},
    {"ftplib", kNetwork},
    {"smtplib", kNetwork},
    {"telnetlib", kNetwork},
    {"xmlrpc", kNetwork},
    {"aiohttp", kNetwork},
    {"signal", kProcess},
    {"threading", kProcess},
    {"_thread", kProcess},
    {"atexit", kProcess},
    {"site", kProcess},
    {"resource", kProcess},
    {"torch.load", kUnpickles},
    {"torch.hub", kEvaluates},
    {"torch.jit.load", kEvaluates},
    {"torch.serialization.load", kUnpickles},
    {"torch.storage._load_from_bytes", kUnpickles},
    {"torch.fx", kEvaluates},
    {"torch._dynamo", kEvaluates},
    {"torch._inductor", kEvaluates},
    {"torch.utils.cpp_extension", kEvaluates},
    {"torch.utils.collect_env", kRuns},
    {"torch.utils.bottleneck", kEvaluates},
    {"torch.utils._config_module", kUnpickles},
    {"torch.jit.unsupported_tensor_ops", kEvaluates},
    {"torch.distributed", kUnpickles},
    {"torch.package", kEvaluates},
    {"torch.utils.data", kReaches},
    {"numpy.testing", kEvaluates},
    {"numpy.f2py", kEvaluates},
    {"numpy.distutils", kRuns},
    {"sympy", kEvaluates},
};

/// True if `name` is `prefix` or lies in it.
bool is_in(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '.');
}

}  // namespace

GlobalJudgement judge_global(const PickleGlobal& global) {
  if (global.computed) return {GlobalVerdict::kDangerous, "its name is known only when it runs"};
  std::string name = global.module + "." + global.name;
  if (std::find(std::begin(kSafe), std::end(kSafe), name) != std::end(kSafe) || torch_dtype(name) ||
      storage_dtype(name) || tensor_class_dtype(name)) {
    return {GlobalVerdict::kSafe, ""};
  }
  constexpr std::string_view kPython2 = "__builtin__.";
  if (name.starts_with(kPython2)) name = "builtins." + name.substr(kPython2.size());
  for (const Danger& danger : kDangers) {
    if (is_in(name, danger.name)) return {GlobalVerdict::kDangerous, danger.reason};
  }
  // A dotted name reaches through one module into another: torch.serialization os.system.
  if (global.name.find('.') != std::string::npos) {
    return {GlobalVerdict::kDangerous, "reaches through a module into another"};
  }
  return {GlobalVerdict::kUnknown, "is not on the list of what is safe"};
}

std::vector<std::string> hazard_notes(const std::vector<PickleGlobal>& globals,
                                      std::string_view member) {
  constexpr size_t kMaxNotes = 20;
  std::vector<std::string> notes;
  for (const PickleGlobal& global : globals) {
    const GlobalJudgement judgement = judge_global(global);
    // Nested files are data here; only Python runs what is in them.
    if (judgement.verdict != GlobalVerdict::kDangerous) continue;
    if (notes.size() == kMaxNotes) {
      notes.push_back("more dangerous globals were found");
      break;
    }
    notes.push_back("hazard: '" + global.module + "." + global.name + "' at byte " +
                    std::to_string(global.offset) + " of " + std::string(member) + " " +
                    std::string(judgement.reason) +
                    " when Python loads this file; nothing of it was executed");
  }
  return notes;
}

}  // namespace lanthorn
