#include <algorithm>
#include <iterator>
#include <string>

#include "formats/torch/global_lists.h"
#include "formats/torch/scalar_type.h"

namespace lanthorn {
namespace {

// Sorted. torch/_weights_only_unpickler.py has most of them; the others make plain objects too.
constexpr std::string_view kSafe[] = {
    "__builtin__.Ellipsis",
    "__builtin__.NotImplemented",
    "__builtin__.bool",
    "__builtin__.bytearray",
    "__builtin__.bytes",
    "__builtin__.complex",
    "__builtin__.dict",
    "__builtin__.float",
    "__builtin__.frozenset",
    "__builtin__.int",
    "__builtin__.list",
    "__builtin__.long",
    "__builtin__.object",
    "__builtin__.set",
    "__builtin__.slice",
    "__builtin__.str",
    "__builtin__.tuple",
    "__builtin__.unicode",
    "__builtin__.xrange",
    "_codecs.encode",
    "_io.BytesIO",
    "_io.StringIO",
    "argparse.Namespace",
    "builtins.Ellipsis",
    "builtins.NotImplemented",
    "builtins.bool",
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
    "collections.Counter",
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.deque",
    "copy_reg._reconstructor",
    "copyreg.__newobj__",
    "copyreg.__newobj_ex__",
    "copyreg._reconstructor",
    "datetime.date",
    "datetime.datetime",
    "datetime.time",
    "datetime.timedelta",
    "datetime.timezone",
    "decimal.Decimal",
    "fractions.Fraction",
    "io.BytesIO",
    "io.StringIO",
    "joblib.numpy_pickle.NumpyArrayWrapper",
    "logging.getLogger",
    "numpy._core.multiarray._frombuffer",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.numeric._frombuffer",
    "numpy.core.multiarray._frombuffer",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy.core.numeric._frombuffer",
    "numpy.core.records.recarray",
    "numpy.dtype",
    "numpy.ma.MaskedArray",
    "numpy.ma.core.MaskedArray",
    "numpy.ma.core._mareconstruct",
    "numpy.matrix",
    "numpy.ndarray",
    "numpy.random.__RandomState_ctor",
    "numpy.random._mt19937.MT19937",
    "numpy.random._pcg64.PCG64",
    "numpy.random._pcg64.PCG64DXSM",
    "numpy.random._philox.Philox",
    "numpy.random._pickle.__bit_generator_ctor",
    "numpy.random._pickle.__generator_ctor",
    "numpy.random._pickle.__randomstate_ctor",
    "numpy.random._sfc64.SFC64",
    "numpy.rec.recarray",
    "numpy.recarray",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.PurePath",
    "pathlib.PurePosixPath",
    "pathlib.PureWindowsPath",
    "pathlib.WindowsPath",
    "pathlib._local.Path",
    "pathlib._local.PosixPath",
    "pathlib._local.PurePath",
    "pathlib._local.PurePosixPath",
    "pathlib._local.PureWindowsPath",
    "pathlib._local.WindowsPath",
    "random.Random",
    "sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper",
    "torch.Generator",
    "torch.ScriptObject",
    "torch.Size",
    "torch.Tensor",
    "torch._C.Generator",
    "torch._tensor.Tensor",
    "torch._tensor._rebuild_from_type_v2",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor",
    "torch._utils._rebuild_device_tensor_from_numpy",
    "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_nested_tensor",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_sparse_csr_tensor",
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_wrapper_subclass",
    "torch._utils._rebuild_xla_tensor",
    "torch.channels_last",
    "torch.contiguous_format",
    "torch.cuda.Generator",
    "torch.device",
    "torch.distributed._tensor.api.DTensor",
    "torch.distributed._tensor.placement_types.DTensorSpec",
    "torch.distributed._tensor.placement_types.Partial",
    "torch.distributed._tensor.placement_types.Replicate",
    "torch.distributed._tensor.placement_types.Shard",
    "torch.distributed._tensor.placement_types.TensorMeta",
    "torch.distributed.checkpoint.filesystem._StorageInfo",
    "torch.distributed.checkpoint.filesystem._StoragePrefix",
    "torch.distributed.device_mesh.DeviceMesh",
    "torch.distributed.tensor.DTensor",
    "torch.distributed.tensor._dtensor_spec.DTensorSpec",
    "torch.distributed.tensor._dtensor_spec.TensorMeta",
    "torch.distributed.tensor.placement_types.Partial",
    "torch.distributed.tensor.placement_types.Replicate",
    "torch.distributed.tensor.placement_types.Shard",
    "torch.dtype",
    "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.restore_type_tag",
    "torch.layout",
    "torch.memory_format",
    "torch.nn.Parameter",
    "torch.nn.parameter.Buffer",
    "torch.nn.parameter.Parameter",
    "torch.per_channel_affine",
    "torch.per_channel_affine_float_qparams",
    "torch.per_channel_symmetric",
    "torch.per_tensor_affine",
    "torch.per_tensor_symmetric",
    "torch.preserve_format",
    "torch.qscheme",
    "torch.serialization._get_layout",
    "torch.sparse_bsc",
    "torch.sparse_bsr",
    "torch.sparse_coo",
    "torch.sparse_csc",
    "torch.sparse_csr",
    "torch.storage.TypedStorage",
    "torch.storage.UntypedStorage",
    "torch.strided",
    "torch.tensor.Tensor",
    "torch.tensor._rebuild_from_type_v2",
    "torch.torch.Size",
    "types.SimpleNamespace",
    "typing.Any",
    "typing.Dict",
    "typing.List",
    "typing.Optional",
    "typing.Set",
    "typing.Tuple",
    "typing.Union",
    "uuid.UUID",
};

// Sorted.
constexpr std::string_view kTensorFunctions[] = {
    "abs",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "add",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "bmm",
    "cat",
    "celu",
    "clamp",
    "conv1d",
    "conv2d",
    "conv3d",
    "cos",
    "cosine_similarity",
    "cross_entropy",
    "div",
    "dropout",
    "elu",
    "embedding",
    "erf",
    "exp",
    "flatten",
    "gelu",
    "glu",
    "group_norm",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log",
    "log_sigmoid",
    "log_softmax",
    "logsigmoid",
    "matmul",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "mean",
    "mish",
    "mm",
    "mse_loss",
    "mul",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "rrelu",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "sin",
    "smooth_l1_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "sqrt",
    "square",
    "stack",
    "sub",
    "sum",
    "tanh",
    "tanhshrink",
    "threshold",
    "where",
};

// Modules whose public classes are layers, optimizers and the like: their constructors and
// __setstate__ keep what they are given.
constexpr std::string_view kClassModules[] = {
    "torch.nn.modules.",
    "torch.optim.",
    "torch.ao.nn.",
    "torch.nn.quantized.",
    "torch.nn.quantizable.",
    "torch.nn.intrinsic.",
    "torch.nn.qat.",
    "torch.ao.quantization.observer.",
    "torch.ao.quantization.fake_quantize.",
    "torch.quantization.observer.",
    "torch.quantization.fake_quantize.",
    "torch.distributed.checkpoint.metadata.",
    "torch.distributed._shard.metadata.",
    "torch.distributed._shard.sharded_tensor.metadata.",
    "numpy.dtypes.",
};

// Classes that such modules import and that do more.
constexpr std::string_view kOtherClasses[] = {"GraphModule", "Graph", "Tracer", "Future",
                                              "ForwardRef"};

// NumPy's scalar types, without their widths.
constexpr std::string_view kNumpyScalars[] = {
    "bool",      "bool_", "bytes_", "clongdouble", "complex",  "datetime",
    "float",     "int",   "intc",   "longdouble",  "longlong", "str_",
    "timedelta", "uint",  "uintc",  "ulonglong",   "void"};

bool contains(const auto& sorted, std::string_view name) {
  return std::binary_search(std::begin(sorted), std::end(sorted), name);
}

/// A class by its looks: one word that begins with a capital letter.
bool is_class_name(std::string_view name) {
  return !name.empty() && name[0] >= 'A' && name[0] <= 'Z' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == name.npos &&
         std::find(std::begin(kOtherClasses), std::end(kOtherClasses), name) ==
             std::end(kOtherClasses);
}

/// A module of PyTorch by its looks; spaces and other signs make it another one.
bool is_module_path(std::string_view module) {
  return module.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == module.npos;
}

}  // namespace

bool is_tensor_function(std::string_view name) { return contains(kTensorFunctions, name); }

bool is_safe_global(std::string_view module, std::string_view name) {
  const std::string whole = std::string(module) + "." + std::string(name);
  // Only a name without dots is an attribute of the module itself.
  if (name.find('.') != name.npos) return false;
  if (contains(kSafe, whole)) return true;
  if (torch_dtype(whole) || storage_dtype(whole) || tensor_class_dtype(whole)) return true;
  if (module == "torch.nn.functional" || module == "torch._C._nn") return is_tensor_function(name);
  if (module == "numpy") {
    const std::string_view kind = name.substr(0, name.find_last_not_of("0123456789") + 1);
    return contains(kNumpyScalars, kind);
  }
  if (!is_class_name(name) || !is_module_path(module)) return false;
  return std::any_of(
      std::begin(kClassModules), std::end(kClassModules), [&](std::string_view prefix) {
        return module.starts_with(prefix) || module == prefix.substr(0, prefix.size() - 1);
      });
}

}  // namespace lanthorn
