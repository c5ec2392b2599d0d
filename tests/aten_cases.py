"""Small programs, one or two operators each: NAME -> (function, inputs). Every function is traced by PyTorch, so what it does with numbers is fixed then."""

import torch
import torch.nn.functional as F

torch.manual_seed(0)
A, B = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
P = torch.rand(2, 3, 4) + 0.1
ROW, ZERO_DIM = torch.randn(4), torch.tensor(1.5)
I, J = torch.randint(-9, 9, (2, 3, 4)), torch.randint(1, 5, (2, 3, 4))
BYTES, SHORT, INT = I.abs().to(torch.uint8), I.to(torch.int16), I.to(torch.int32)
YES, NO = A > 0, B > 0.3
HALF, DOUBLE, BF16 = A.half(), A.double(), A.bfloat16()
IMAGE, WIDE, LINE, CUBE = torch.randn(2, 4, 9, 7), torch.randn(1, 8, 12, 12), torch.randn(2, 4, 11), torch.randn(1, 2, 5, 6, 7)
MATRIX, OTHER, BATCH = torch.randn(5, 4), torch.randn(4, 6), torch.randn(2, 4, 6)
SPECIAL = torch.tensor([0.0, -0.0, 1.0, -1.5, 2.5, -2.5, float("inf"), float("-inf"), float("nan"), 100.0])
INDEX = torch.tensor([2, 0, 1, 2])
Q, K, V = torch.randn(2, 2, 5, 8), torch.randn(2, 2, 6, 8), torch.randn(2, 2, 6, 4)

CASES = {}


def case(name, function, *inputs):
    assert name not in CASES, name
    CASES[name] = (function, inputs)


UNARY = """abs neg exp log sqrt rsqrt reciprocal square sin cos tan asin acos atan sinh cosh tanh asinh erf erfc floor ceil round trunc frac sign
isnan isinf isfinite isposinf isneginf nan_to_num expm1 log2 log10 log1p sigmoid relu logit positive exp2 deg2rad""".split()
for name in UNARY:
    case(name, lambda x, f=getattr(torch, name): f(x), SPECIAL if name not in ("tan", "sinh", "cosh", "exp", "expm1", "exp2", "erfc") else A)
    if name not in ("neg", "abs", "positive", "relu", "frac"):
        case(f"{name}_int", lambda x, f=getattr(torch, name): f(x), J)
for name in "relu6 leaky_relu elu celu selu silu mish gelu hardswish hardsigmoid hardtanh hardshrink softshrink softplus softsign tanhshrink logsigmoid".split():
    case(f"act_{name}", lambda x, f=getattr(F, name): f(x), A * 4)
case("act_gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), A * 3)
case("act_softplus_beta", lambda x: F.softplus(x, 2.0, 1.0), A * 3)
case("act_threshold", lambda x: F.threshold(x, 0.2, -3.0), A)
case("act_elu_scaled", lambda x: torch._C._nn.elu(x, 1.2, 0.7, 1.3), A)
case("act_prelu", lambda x, w: F.prelu(x, w), A, torch.tensor([0.1, 0.2, 0.3]))
case("act_rrelu", lambda x: F.rrelu(x, 0.1, 0.3), A)
case("act_glu", lambda x: F.glu(x, -1), A)
case("act_relu_in_place", lambda x: F.relu_((x + 0)[:, 1]), A)
for name, kwargs in (("softmax", {}), ("log_softmax", {}), ("softmax", {"dtype": torch.float64})):
    for dim in (-1, 0, 1):
        case(f"{name}_{dim}_{len(kwargs)}", lambda x, f=getattr(F, name), k=kwargs, d=dim: f(x, d, **k), A)

PAIRS = {"ff": (A, B), "fi": (A, J), "if": (I, B), "ii": (I, J), "frow": (A, ROW), "f0": (A, ZERO_DIM), "i0": (I, ZERO_DIM), "h0": (HALF, ZERO_DIM),
         "byteshort": (BYTES, J.to(torch.int16)), "bytechar": (BYTES, J.to(torch.int8)), "intlong": (INT, J), "fd": (A, DOUBLE), "hb": (HALF, BF16)}
for name in "add sub mul div maximum minimum pow remainder fmod floor_divide eq ne lt le gt ge atan2".split():
    for kind, (x, y) in PAIRS.items():
        if name == "pow" and not (kind[0] == "i" or kind[0] == "b"):
            x = x.abs()
        if name in ("remainder", "fmod", "floor_divide") and kind in ("hb", "h0", "fd"):
            continue
        if name in ("remainder", "fmod", "floor_divide") and kind in ("ff", "if", "frow"):
            y = y + 3 * y.sign()
        case(f"{name}_{kind}", lambda x, y, f=getattr(torch, name): f(x, y), x, y)
    for number in (2, 2.5, -3):
        if name == "maximum" or name == "minimum" or name == "atan2":
            continue
        case(f"{name}_f_{number}", lambda x, f=getattr(torch, name), n=number: f(x, n), A)
        if name != "pow" or number != -3:
            case(f"{name}_i_{number}", lambda x, f=getattr(torch, name), n=number: f(x, n), I)
case("add_alpha", lambda x, y: torch.add(x, y, alpha=2), A, B)
case("sub_alpha", lambda x, y: torch.sub(x, y, alpha=0.5), A, B)
case("rsub", lambda x: 1 - x, A)
case("rsub_int", lambda x: 3 - x, I)
case("pow_scalar", lambda x: 2 ** x, A)
case("pow_half", lambda x: P.pow(0.5) + x, A)
case("add_bool", lambda x, y: x + y, YES, NO)
case("mul_bool", lambda x, y: x * y, YES, NO)
case("mul_bool_int", lambda x, y: x * y, YES, J)
for mode in ("floor", "trunc"):
    case(f"div_{mode}", lambda x, y, m=mode: torch.div(x, y, rounding_mode=m), A, B)
    case(f"div_{mode}_int", lambda x, y, m=mode: torch.div(x, y, rounding_mode=m), I, J - 6)
for name in ("logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor"):
    case(name, lambda x, y, f=getattr(torch, name): f(x, y), YES, NO)
    case(f"{name}_int", lambda x, y, f=getattr(torch, name): f(x, y), I, J)
case("not", lambda x, y: (~x, ~y, torch.logical_not(y)), YES, I)
case("shift", lambda x, y: (x << y, x >> y, x << 2, x >> 1), I, J)
case("addcmul", lambda x, y, z: torch.addcmul(x, y, z, value=0.5), A, B, P)
case("addcdiv", lambda x, y, z: torch.addcdiv(x, y, z, value=2), A, B, P)
case("lerp", lambda x, y, z: (torch.lerp(x, y, 0.3), torch.lerp(x, y, z)), A, B, P)
case("hypot", lambda x, y: torch.hypot(x, y), A, B)
case("xlogy", lambda x, y: torch.xlogy(x, y), torch.tensor([0.0, 1, 2]), torch.tensor([0.0, 2, 3]))
case("logaddexp", lambda x, y: torch.logaddexp(x, y), A, B)
case("copysign", lambda x, y: torch.copysign(x, y), SPECIAL, torch.tensor([1.0, -1, -0.0, 0.0, 1, -1, 1, -1, 1, -1]))
case("heaviside", lambda x, y: torch.heaviside(x, y), SPECIAL[:6], torch.ones(6))
case("atan2_zero", lambda x, y: torch.atan2(x, y), torch.tensor([0.0, 0, -1, 1, 1]), torch.tensor([1.0, -1, 0, 0, -1]))
case("clamp", lambda x: (x.clamp(-0.5, 0.5), x.clamp(min=0), x.clamp(max=0.1), x.clamp_min(0.2), x.clamp_max(0)), A)
case("clamp_int", lambda x: (x.clamp(-2, 3), x.clamp(-2.5, 3)), I)
case("clamp_tensor", lambda x, y: (torch.clamp(x, min=y), torch.clamp(x, min=y, max=y + 1)), A, B)
case("where", lambda c, x, y: (torch.where(c, x, y), torch.where(c, x, 1.0), torch.where(c, 1.0, 0.0)), YES, A, B)
case("masked_fill", lambda x, c: (x.masked_fill(c, 7), x.masked_fill(c[0], -1e9)), A, YES)
case("masked_select", lambda x, c: torch.masked_select(x, c), A, YES)
case("nonzero", lambda c: (torch.nonzero(c), *torch.where(c)), YES)
case("to", lambda x: (x.to(torch.int64), x.double(), x.half(), x.bool(), x.to(torch.uint8).float(), x.type_as(J)), A * 3 + 20)

for name in "sum mean prod amax amin logsumexp std var norm all any".split():
    f = getattr(torch, name)
    source = YES if name in ("all", "any") else A
    case(f"{name}_dim", lambda x, f=f: f(x, dim=1), source)
    if name not in ("prod", "all", "any"):
        case(f"{name}_dims", lambda x, f=f: f(x, dim=(0, -1), keepdim=True), source)
    if name != "logsumexp" and name != "amax" and name != "amin":
        case(f"{name}_all", lambda x, f=f: f(x), source)
case("sum_int", lambda x, y: (x.sum(), x.sum(1), y.sum(0), y.sum(), x.sum(dtype=torch.float32)), INT, YES)
case("var_mean", lambda x: (*torch.var_mean(x, 1, unbiased=False), *torch.std_mean(x, correction=2, dim=(1, 2))), A)
case("max", lambda x: (x.max(), *x.max(1), *x.min(-1, keepdim=True), x.argmax(), x.argmin(1), x.argmax(2, keepdim=True)), A)
case("max_int", lambda x: (x.max(), *x.max(1), x.amax(0)), SHORT)
case("aminmax", lambda x: torch.aminmax(x), A)
case("norms", lambda x: (x.norm(1), x.norm(p=3, dim=1), x.norm(float("inf"), dim=0), torch.linalg.vector_norm(x, 0, dim=-1), F.normalize(x, dim=1)), A)
case("count", lambda x: (torch.count_nonzero(x), torch.count_nonzero(x, 1), torch.nansum(x, 0)), A)
case("cumulative", lambda x, y: (x.cumsum(1), x.cumprod(-1), y.cumsum(0), *torch.cummax(x, 1), *torch.cummin(x, 2)), A, INT)
case("topk", lambda x: (*x.topk(2, 1), *x.topk(1, -1, largest=False), *x.sort(0), *x.sort(-1, descending=True), x.argsort(1)), A)
case("kth", lambda x: (*x.kthvalue(2, 1), *x.median(2), x.median(), torch.msort(x)), A)

case("view", lambda x: (x.view(6, 4), x.reshape(-1), x.flatten(1), x.unflatten(2, (2, -1)), x.ravel(), x.view(2, 1, -1).squeeze(1), x.unsqueeze(-1)), A)
case("permute", lambda x: (x.permute(2, 0, 1), x.transpose(0, -1), x[0].t(), x.movedim(0, 2), x.mT, x.permute(2, 0, 1).reshape(4, 6), x.swapaxes(0, 1).contiguous()), A)
case("expand", lambda x, y: (x[:, :1].expand(-1, 5, -1), y.expand(2, 3, 4), y.expand_as(x), *torch.broadcast_tensors(x, y), x.repeat(2, 1, 1, 3), x.tile(2)), A, ROW)
case("slice", lambda x: (x[:, 1], x[..., -1], x[:, 1:], x[:, :-1], x[:, ::2], x[-1:, 0:9, 1:3], x.narrow(2, 1, 2), x.select(1, -1), x[:, None]), A)
case("split", lambda x: (*x.chunk(3, 2), *x.split(2, 1), *x.split([1, 3], 2), *x.unbind(1), *x.tensor_split(3, 2), *x.tensor_split([1], 1), *x.hsplit(3)), A)
case("join", lambda x, y: (torch.cat([x, y], 1), torch.stack([x, y], -1), torch.hstack([x, y]), torch.vstack([x, y]), torch.cat([x, y.double()])), A, B)
case("cat_empty", lambda x: torch.cat([torch.empty(0), x], 1), A)
case("roll", lambda x: (x.roll(1, 1), x.roll((-1, 2), (0, 2)), x.roll(3), x.flip(1), x.flip((0, 2)), x.rot90(1, (1, 2)), x.rot90(3, (0, 1))), A)
case("triangle", lambda x: (x.tril(), x.triu(1), x.tril(-1), (x > 0).tril()), A)
case("pad", lambda x: (F.pad(x, (1, 2)), F.pad(x, (1, 0, 0, 2), value=3.0), F.pad(x, (-1, 1)), F.pad(x, (0, 0)), F.pad(x, (1, 1), mode="reflect"), F.pad(x, (2, 1), mode="replicate"), F.pad(x, (1, 2), mode="circular")), A)
case("shuffle", lambda x: (F.pixel_shuffle(x, 2), F.pixel_unshuffle(x, 3), F.channel_shuffle(x, 4)), WIDE)
case("meshgrid", lambda x, y: (*torch.meshgrid(x, y, indexing="ij"), *torch.meshgrid(x, y, indexing="xy")), torch.arange(3.0), torch.arange(4.0))
case("repeat_interleave", lambda x: (x.repeat_interleave(2), x.repeat_interleave(3, 1), x.repeat_interleave(torch.tensor([1, 0, 2]), 1)), A)
case("in_place_view", lambda x: write(x), A)
case("in_place_ops", lambda x: (x.clone().add_(1).mul_(2).clamp_(0, 1), x.clone().fill_(3), x.clone().zero_(), x.clone().squeeze_().unsqueeze_(0)), A)


def write(x):
    y = x.clone()
    y[:, 1] = 5
    y[0, :, 1:3] += 2
    y.transpose(1, 2)[:, 0] *= -1
    y.view(-1)[3:5] = 0
    y[:, ::2] = y[:, 1:2]
    return y


case("index", lambda x, i: (x[:, i % 3], x[i % 2, i % 3], x[:, i % 3, i], x[i % 2, :, i], x[-1, i % 3]), A, INDEX)
case("index_mask", lambda x, m: (x[m], x[m[:, :, 0]], x[:, m[0, :, 0]]), A, YES)
case("index_put", lambda x, i, m: put(x, i, m), A, INDEX, YES)


def put(x, i, m):
    y, z, w, u = x.clone(), x.clone(), x.clone(), x.clone()
    y[m] = 0.5
    z[:, i % 3] = 1.0
    w[i % 2, :, i] = x[0, :, :].t()
    u.index_put_((i % 2, i % 3), torch.ones(4), accumulate=True)
    v = x.clone()
    v[m] = x[m] * 2
    return y, z, w, u, v


case("gather", lambda x, i: (x.gather(2, i), torch.take_along_dim(x, i, 2), x.take(i), x.index_select(1, i[0, 0])), A, torch.randint(0, 3, (2, 3, 4)))
case("scatter", lambda x, i, s: (x.scatter(2, i, s), x.scatter(2, i[:, :2, :2], s), x.scatter(2, i, 1.5), x.scatter_add(2, i % 2, s), x.scatter_reduce(2, i % 2, s, "amax"), x.scatter_reduce(2, i % 2, s, "mean", include_self=False)), A, torch.stack([torch.stack([torch.randperm(4) for _ in range(3)]) for _ in range(2)]), B)
case("index_slices", lambda x, s: (x.index_add(1, torch.tensor([0, 2]), s, alpha=2), x.index_copy(1, torch.tensor([2, 0]), s), x.index_fill(1, torch.tensor([1]), 3.0)), A, torch.randn(2, 2, 4))
case("masked_scatter", lambda x, m, s: x.masked_scatter(m, s), A, YES, B)
case("embedding", lambda w, i: (F.embedding(i, w), F.one_hot(i, 4), F.one_hot(i)), MATRIX, INDEX)

case("creation", lambda x: (torch.zeros(2, 3) + x[0, 0, 0], x.new_ones(2), torch.full((2, 2), 3), torch.full_like(x, 2), torch.arange(5), torch.arange(1.0, 2.0, 0.3), torch.linspace(0, 1, 7), torch.eye(3), torch.ones_like(x, dtype=torch.int32), torch.logspace(0, 1, 3)), A)
case("sizes", lambda x: (torch.arange(x.size(1)), x.view(x.shape[0] * x.shape[1], -1), x.reshape(x.size(0), x.numel() // x.size(0)), torch.zeros(x.shape)), A)

case("linear", lambda x, w, b: (F.linear(x, w, b), F.linear(x, w), F.linear(x[0], w, b), F.linear(x[0, 0], w)), A, torch.randn(5, 4), torch.randn(5))
case("products", lambda a, b, c: (a @ b, torch.mm(a, b), a @ c, c.bmm(c.transpose(1, 2)), a[0] @ b, a @ b[:, 0], a[0].dot(b[:, 0]), torch.outer(a[0], b[0]), torch.addmm(a[0, 0], a, b, beta=0.5, alpha=2), torch.baddbmm(c[:, :, :4], c, c.transpose(1, 2), beta=2)), MATRIX, OTHER, BATCH)
case("einsum", lambda a, b, c: (torch.einsum("ij,jk->ik", a, b), torch.einsum("bij,jk", c.transpose(1, 2), b), torch.einsum("ij, ij -> i", a, a), torch.einsum("...ij->...ji", c), torch.tensordot(a, b, 1), torch.inner(a, a)), MATRIX, OTHER, BATCH)
case("bilinear", lambda x, y, w: F.bilinear(x, y, w), A, B, torch.randn(3, 4, 4))
case("conv2d", lambda x, w, b: (F.conv2d(x, w, b), F.conv2d(x, w, stride=2, padding=1), F.conv2d(x, w, b, dilation=2, padding=(1, 2)), F.conv2d(x, w[:, :2], groups=2), F.conv2d(x[0], w, b), F.conv2d(x, w, padding="same")), IMAGE, torch.randn(6, 4, 3, 2), torch.randn(6))
case("conv1d", lambda x, w: (F.conv1d(x, w, padding=2), F.conv1d(x, w, padding="same", dilation=3), F.conv1d(x, w, padding="valid")), LINE, torch.randn(3, 4, 4))
case("conv3d", lambda x, w: F.conv3d(x, w, stride=(1, 2, 1), padding=1), CUBE, torch.randn(3, 2, 3, 3, 2))
case("conv_transpose", lambda x, w: (F.conv_transpose2d(x, w), F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1), F.conv_transpose2d(x, w, groups=2, dilation=2)), IMAGE, torch.randn(4, 2, 3, 3))
case("conv_transpose1d", lambda x, w: F.conv_transpose1d(x, w, stride=3), LINE, torch.randn(4, 2, 3))
case("pool", lambda x: (F.max_pool2d(x, 2), F.max_pool2d(x, 3, 2, 1), F.max_pool2d(x, 3, 2, 1, ceil_mode=True), F.max_pool2d(x, 2, 1, dilation=2), F.avg_pool2d(x, 3, 2, 1), F.avg_pool2d(x, 2), F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), F.avg_pool2d(x[0], 3, 1)), IMAGE)
case("pool_ceil", lambda x: (F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), F.avg_pool2d(x, 2, 2, ceil_mode=True), F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False), F.avg_pool2d(x, 3, 2, 1, divisor_override=5), F.avg_pool2d(x, (2, 3), 2, ceil_mode=True, divisor_override=2), F.avg_pool2d(x[..., :2, :2], 3, 3, 1, ceil_mode=True)), IMAGE)
case("pool_indices", lambda x: F.max_pool2d(x, 3, 2, 1, return_indices=True), IMAGE)
case("pool_1d_3d", lambda x, y: (F.max_pool1d(x, 3), F.avg_pool1d(x, 3, 2, 1), F.max_pool3d(y, 2), F.avg_pool3d(y, 2, 1)), LINE, CUBE)
case("adaptive", lambda x: (F.adaptive_avg_pool2d(x, 1), F.adaptive_avg_pool2d(x, (3, 7)), F.adaptive_avg_pool2d(x, (4, 5)), F.adaptive_avg_pool2d(x, (12, 3)), F.adaptive_max_pool2d(x, (3, 1)), F.adaptive_max_pool2d(x, (4, 3)), F.adaptive_avg_pool2d(x[0], (2, None))), IMAGE)
case("adaptive_indices", lambda x: (*F.adaptive_max_pool2d(x, (4, 3), return_indices=True), *F.adaptive_max_pool2d(x, (3, 7), return_indices=True)), IMAGE)
case("adaptive_1d_3d", lambda x, y: (F.adaptive_avg_pool1d(x, 4), F.adaptive_max_pool1d(x, 5), F.adaptive_avg_pool3d(y, (2, 4, 3)), F.adaptive_avg_pool3d(y, 1)), LINE, CUBE)
case("batch_norm", lambda x, m, v, w: (F.batch_norm(x, m, v), F.batch_norm(x, m, v, w, m, eps=1e-3), F.batch_norm(x, None, None, w, m, training=True), F.batch_norm(x[:, :, 0, 0], m, v)), IMAGE, torch.randn(4), torch.rand(4) + 0.5, torch.randn(4))
case("layer_norm", lambda x, w, b: (F.layer_norm(x, (4,), w, b), F.layer_norm(x, (3, 4)), F.layer_norm(x, (4,), w), F.group_norm(IMAGE + x.sum(), 2), F.group_norm(IMAGE + x.sum(), 4, w, b), F.instance_norm(IMAGE + x.sum()), F.local_response_norm(IMAGE + x.sum(), 3), F.rms_norm(x, (4,), w)), A, torch.randn(4), torch.randn(4))
case("attention", lambda q, k, v: (F.scaled_dot_product_attention(q, k, v), F.scaled_dot_product_attention(q, k, v, scale=0.2), F.scaled_dot_product_attention(q[:, 0], k[:, 0], v[:, 0]), F.scaled_dot_product_attention(q, k, v, is_causal=True)), Q, K, V)
case("attention_mask", lambda q, k, v, m: (F.scaled_dot_product_attention(q, k, v, m), F.scaled_dot_product_attention(q, k, v, m > 0), F.scaled_dot_product_attention(q[:, 0], k[:, 0], v[:, 0], m)), Q, K, V, torch.rand(5, 6) - 0.1)
case("dropout", lambda x: (F.dropout(x, 0.5, False), F.dropout2d(IMAGE + x.sum(), 0.5, False), F.alpha_dropout(x, 0.5, False)), A)
for mode in ("nearest", "nearest-exact", "bilinear", "bicubic"):
    extra = {} if mode.startswith("nearest") else {"align_corners": False}
    case(f"resize_{mode}", lambda x, m=mode, k=extra: (F.interpolate(x, scale_factor=2, mode=m, **k), F.interpolate(x, scale_factor=(1.7, 0.6), mode=m, **k), F.interpolate(x, size=(5, 11), mode=m, **k), F.interpolate(x, size=(1, 1), mode=m, **k)), IMAGE)
    if extra:
        case(f"resize_{mode}_corners", lambda x, m=mode: (F.interpolate(x, scale_factor=1.5, mode=m, align_corners=True), F.interpolate(x, size=(5, 11), mode=m, align_corners=True)), IMAGE)
        case(f"resize_{mode}_smooth", lambda x, m=mode: (F.interpolate(x, size=(4, 5), mode=m, antialias=True), F.interpolate(x, size=(14, 15), mode=m, antialias=True)), IMAGE)
case("resize_1d_3d", lambda x, y: (F.interpolate(x, scale_factor=2, mode="linear"), F.interpolate(x, size=7), F.interpolate(y, scale_factor=2, mode="trilinear")), LINE, CUBE)

case("losses", lambda x, y: (F.mse_loss(x, y), F.l1_loss(x, y, reduction="sum"), F.smooth_l1_loss(x, y, beta=0.5), F.huber_loss(x, y, delta=0.7, reduction="none"), F.kl_div(x, y.softmax(-1)), F.binary_cross_entropy(x.sigmoid(), y.sigmoid()), F.binary_cross_entropy_with_logits(x, y.sigmoid(), pos_weight=P[0, 0])), A, B)
case("class_losses", lambda x, t, w: (F.cross_entropy(x, t), F.cross_entropy(x, t, w, reduction="sum"), F.nll_loss(x.log_softmax(1), t, reduction="none"), F.cross_entropy(x, t, ignore_index=2), F.cross_entropy(x[0], t[0]), F.cross_entropy(x, x.softmax(1))), torch.randn(4, 5), torch.tensor([0, 2, 4, 1]), torch.rand(5))
case("distances", lambda x, y: (F.cosine_similarity(x, y), F.cosine_similarity(x, y, -1), F.pairwise_distance(x, y), F.pairwise_distance(x, y, 1, keepdim=True), torch.cdist(x, y), torch.cdist(x, y, 1)), A, B)
case("diagonals", lambda x, y: (x.diagonal(dim1=1, dim2=2), x.diagonal(1, 2, 0), torch.diag(y, 1), torch.diag(y, -2), torch.diag(x[0]), x[0].trace(), torch.diag_embed(x)), A, ROW)
case("cross", lambda x, y: (torch.cross(x, y, 1), torch.linalg.cross(x.mT, y.mT), x.diff(), x.diff(2, 1), torch.isclose(x, y, rtol=0.5)), A, B)
case("search", lambda x, r: (torch.bucketize(x, r), torch.searchsorted(r, x, right=True), torch.bucketize(x, r, out_int32=True)), A, torch.tensor([-1.0, 0, 0.5, 2]))
case("unique", lambda i: torch.unique(i, return_inverse=True, return_counts=True), I)
case("windows", lambda x, y: (F.unfold(x, 3, padding=1, stride=2), F.unfold(x, (2, 3), dilation=2), F.fold(F.unfold(y, 3), (12, 12), 3), y.unfold(2, 4, 3), F.grid_sample(x, torch.tanh(A[:, None, :, :2]), align_corners=False), F.affine_grid(A[:, :2, :3], (2, 1, 4, 5), align_corners=False)), IMAGE, WIDE)

for name, layer in (("lstm", torch.nn.LSTM), ("gru", torch.nn.GRU), ("rnn", torch.nn.RNN)):
    for kind, options in (("plain", {}), ("deep", {"num_layers": 2, "bidirectional": True, "batch_first": True}), ("bare", {"bias": False})):
        net = layer(4, 5, **options).eval().requires_grad_(False)
        case(f"{name}_{kind}", lambda x, net=net: net(x), A)
    cell = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell, "rnn": torch.nn.RNNCell}[name](4, 5).eval().requires_grad_(False)
    case(f"{name}_cell", lambda x, cell=cell: cell(x[0]), A)
encoder = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval().requires_grad_(False)
heads = torch.nn.MultiheadAttention(8, 2, batch_first=True).eval().requires_grad_(False)
case("encoder_layer", lambda x: encoder(x), torch.randn(2, 5, 8))
case("multi_head", lambda x, y: (*heads(x, x, x), heads(x, y, y, need_weights=False)[0], *heads(x, x, x, average_attn_weights=False)), torch.randn(2, 5, 8), torch.randn(2, 6, 8))
case("bags", lambda i, o, w: (F.embedding_bag(i, MATRIX, o), F.embedding_bag(i, MATRIX, o, mode="sum", per_sample_weights=w), F.embedding_bag(i, MATRIX, o, mode="max"), F.embedding_bag(i, MATRIX, o, padding_idx=2), F.embedding_bag(i.view(2, 3), MATRIX)), torch.tensor([0, 2, 4, 1, 2, 3]), torch.tensor([0, 2, 2, 5]), torch.rand(6))
case("mode", lambda i: (i.mode()[0], i.mode(1, keepdim=True)[0]), J)
case("label_smoothing", lambda x, t, w: (F.cross_entropy(x, t, label_smoothing=0.1), F.cross_entropy(x, t, w, label_smoothing=0.2, ignore_index=4), F.cross_entropy(x, x.softmax(1), label_smoothing=0.1)), torch.randn(4, 5), torch.tensor([0, 2, 4, 1]), torch.rand(5))
case("neg_bytes", lambda x: -x, BYTES)

# Linear algebra.
SQUARE = torch.randn(2, 3, 3) + 3 * torch.eye(3)
RIGHT = torch.randn(2, 3, 4)
SPD = SQUARE @ SQUARE.mT + torch.eye(3)
for name in "inv det slogdet svdvals".split():
    case(f"linalg_{name}", lambda x, f=getattr(torch.linalg, name): f(x), SQUARE)
case("linalg_inv_ex", lambda x: torch.linalg.inv_ex(x), SQUARE)
case("linalg_solve", lambda a, b: torch.linalg.solve(a, b), SQUARE, RIGHT)
case("linalg_solve_broadcast", lambda a, b: torch.linalg.solve(a, b), SQUARE[0], RIGHT)
case("linalg_solve_vector", lambda a, b: torch.linalg.solve(a, b), SQUARE[0], RIGHT[0, :, 0])
case("linalg_solve_right", lambda a, b: torch.linalg.solve(a, b, left=False), SQUARE, RIGHT.mT.contiguous())
case("linalg_solve_triangular", lambda a, b: torch.linalg.solve_triangular(a, b, upper=True), SQUARE, RIGHT)
case("linalg_solve_triangular_unit", lambda a, b: torch.linalg.solve_triangular(a, b, upper=False, unitriangular=True), SQUARE, RIGHT)
for upper in (False, True):
    case(f"linalg_cholesky_{upper}", lambda x, u=upper: torch.linalg.cholesky(x, upper=u), SPD)
    case(f"cholesky_solve_{upper}", lambda b, x, u=upper: torch.cholesky_solve(b, torch.linalg.cholesky(x, upper=u), u), RIGHT, SPD)
case("linalg_eigvalsh", lambda x: torch.linalg.eigvalsh(x), SPD)
case("linalg_eigh_values", lambda x: torch.linalg.eigh(x, UPLO="U")[0], SPD)
case("linalg_eigh_whole", lambda x: (lambda w, v: v @ torch.diag_embed(w) @ v.mT)(*torch.linalg.eigh(x)), SPD)
case("linalg_svd_whole", lambda x: (lambda u, s, v: u @ torch.diag_embed(s) @ v)(*torch.linalg.svd(x, full_matrices=False)), RIGHT)
case("linalg_svd_tall", lambda x: (lambda u, s, v: u @ torch.diag_embed(s) @ v)(*torch.linalg.svd(x, full_matrices=False)), RIGHT.mT.contiguous())
for mode in ("reduced", "complete"):
    for kind, x in (("wide", RIGHT), ("tall", RIGHT.mT.contiguous())):
        case(f"linalg_qr_{mode}_{kind}", lambda x, m=mode: torch.linalg.qr(x, m), x)
case("linalg_pinv", lambda x: torch.linalg.pinv(x), RIGHT)
for n in (0, 1, 3, -2):
    case(f"linalg_matrix_power_{n}", lambda x, n=n: torch.linalg.matrix_power(x, n), SQUARE)
for order in (1, -1, 2, -2, float("inf"), float("-inf"), "fro", "nuc"):
    case(f"linalg_matrix_norm_{order}", lambda x, o=order: torch.linalg.matrix_norm(x, o), RIGHT)
case("linalg_matrix_norm_dims", lambda x: torch.linalg.matrix_norm(x, 1, dim=(0, 2), keepdim=True), A)
case("kron", lambda x, y: torch.kron(x, y), MATRIX, OTHER[:, :2])

# Losses.
SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0])
CLASSES = torch.tensor([0, 2, 1, 3, 2])
for reduction in ("none", "mean", "sum"):
    case(f"cosine_embedding_{reduction}", lambda x, y, t, r=reduction: F.cosine_embedding_loss(x, y, t, 0.2, reduction=r), MATRIX, MATRIX.flip(0), SIGNS)
    case(f"triplet_{reduction}", lambda x, y, z, r=reduction: F.triplet_margin_loss(x, y, z, swap=True, reduction=r), MATRIX, MATRIX + 0.5, MATRIX.flip(0))
    case(f"hinge_embedding_{reduction}", lambda x, t, r=reduction: F.hinge_embedding_loss(x, t, reduction=r), MATRIX[:, 0], SIGNS)
    case(f"margin_ranking_{reduction}", lambda x, y, t, r=reduction: F.margin_ranking_loss(x, y, t, 0.1, reduction=r), MATRIX[:, 0], MATRIX[:, 1], SIGNS)
    case(f"soft_margin_{reduction}", lambda x, t, r=reduction: F.soft_margin_loss(x, t, reduction=r), MATRIX[:, 0], SIGNS)
    case(f"multi_margin_{reduction}", lambda x, t, r=reduction: F.multi_margin_loss(x, t, p=2, reduction=r), MATRIX, CLASSES)
    case(f"multilabel_margin_{reduction}", lambda x, t, r=reduction: F.multilabel_margin_loss(x, t, reduction=r), MATRIX, torch.tensor([[1, 3, -1, 0], [0, -1, 2, 3], [-1, 1, 1, 1], [0, 1, 2, 3], [2, -1, -1, -1]]))
    case(f"poisson_nll_{reduction}", lambda x, t, r=reduction: F.poisson_nll_loss(x, t, full=True, reduction=r), MATRIX, MATRIX.abs() * 3)
case("multi_margin_weight", lambda x, t, w: F.multi_margin_loss(x, t, weight=w, margin=0.5), MATRIX, CLASSES, P[0, 0])
case("poisson_nll_not_log", lambda x, t: F.poisson_nll_loss(x, t, log_input=False), MATRIX.abs(), MATRIX.abs() * 3)

# Counting, arranging, integrating.
case("histc", lambda x: torch.histc(x, 5, -2, 2), A)
case("histc_own_bounds", lambda x: torch.histc(x, 7), A)
case("histc_equal", lambda x: torch.histc(x, 4), torch.ones(5))
case("bincount", lambda x: torch.bincount(x), J.flatten())
case("bincount_weights", lambda x, w: torch.bincount(x, w, minlength=9), J.flatten(), P.flatten())
case("isin", lambda x, y: torch.isin(x, y), I, J)
case("isin_not", lambda x: torch.isin(x, 3, invert=True), I)
case("nanmean", lambda x: torch.nanmean(x), SPECIAL[[0, 2, 3, 8, 9]])
case("nanmean_dim", lambda x: torch.nanmean(x, 1, keepdim=True), torch.where(YES, A, torch.nan))
for dim in (0, 1, -1):
    case(f"logcumsumexp_{dim}", lambda x, d=dim: torch.logcumsumexp(x, d), A * 30)
    case(f"trapz_{dim}", lambda x, d=dim: torch.trapz(x, dx=0.5, dim=d), A)
case("trapezoid_x", lambda y, x: torch.trapezoid(y, x), A, ROW.sort()[0])
case("trapezoid_x_whole", lambda y, x: torch.trapezoid(y, x, dim=1), A, B.sort(1)[0])
case("cumulative_trapezoid", lambda y: torch.cumulative_trapezoid(y, dim=1), A)
case("cartesian_prod", lambda x, y, z: torch.cartesian_prod(x, y, z), ROW, ROW[:2], ROW[1:])
case("combinations", lambda x: torch.combinations(x, 3), MATRIX[:, 0])
case("combinations_again", lambda x: torch.combinations(x, 2, with_replacement=True), ROW)
case("combinations_too_many", lambda x: torch.combinations(x, 5), ROW)
case("block_diag", lambda x, y, z: torch.block_diag(x, y, z), MATRIX, OTHER, ROW)
case("vander", lambda x: torch.vander(x), ROW)
case("vander_increasing", lambda x: torch.vander(x, 3, True), ROW)
case("as_strided", lambda x: x.as_strided((2, 3), (1, 2), 1), A)
for name in "hamming blackman bartlett kaiser hann".split():
    for periodic in (True, False):
        case(f"{name}_window_{periodic}", lambda x, f=getattr(torch, f"{name}_window"), p=periodic: x * f(4, p), ROW)

# Pools back, regions, embeddings.
POOLED, PLACES = F.max_pool2d(IMAGE, 2, return_indices=True)
case("max_unpool2d", lambda x, i: F.max_unpool2d(x, i, 2, output_size=(9, 7)), POOLED, PLACES)
case("max_unpool2d_unbatched", lambda x, i: F.max_unpool2d(x, i, 2, output_size=(9, 7)), POOLED[0], PLACES[0])
case("embedding_max_norm", lambda i, w: F.embedding(i, w.clone(), max_norm=1.0), INDEX, MATRIX)
case("lstm_projections", lambda x, m=torch.nn.LSTM(4, 6, 2, proj_size=3, bidirectional=True).eval(): m(x), A)
case("fake_quantize", lambda x: torch.fake_quantize_per_tensor_affine(x, 0.1, 3, -8, 7), A)
case("fake_quantize_channel", lambda x: torch.fake_quantize_per_channel_affine(x, torch.tensor([0.1, 0.2, 0.05]), torch.tensor([0, 3, -2], dtype=torch.int32), 1, -8, 7), A)

# Complex numbers and Fourier transforms.
C, D = torch.complex(A, B), torch.complex(B, P)


def written_slice(x):
    made = torch.zeros(2, 3, 6, dtype=torch.cfloat)
    made[:, 1:, 2:4] = x[:, :2, :2] * 2
    made[:, 0] += 1j
    return made


for name in "add sub mul div".split():
    case(f"complex_{name}", lambda x, y, f=getattr(torch, name): f(x, y), C, D)
    case(f"complex_{name}_real", lambda x, y, f=getattr(torch, name): f(x, y), C, A)
    case(f"complex_{name}_number", lambda x, f=getattr(torch, name): f(x, 2 - 1j), C)
    case(f"complex_{name}_of_real", lambda x, f=getattr(torch, name): f(x, 2 - 1j), A)
    case(f"complex_{name}_row", lambda x, y, f=getattr(torch, name): f(x, y), C, D[0, 0])
for name in "neg abs angle exp log sqrt square reciprocal sgn conj real imag".split():
    case(f"complex_{name}_one", lambda x, f=getattr(torch, name): f(x).resolve_conj() if f(x).is_complex() else f(x), C)
for exponent in (2, 3, 0.5, -1):
    case(f"complex_pow_{exponent}", lambda x, n=exponent: x ** n, C)
case("complex_rsub", lambda x: 1 - x, C)
case("complex_sum", lambda x: x.sum((0, 2)), C)
case("complex_mean", lambda x: x.mean(1, keepdim=True), C)
case("complex_matmul", lambda x, y: x @ y, C, D.mT.contiguous())
case("complex_einsum", lambda x, y: torch.einsum("abc,dbc->ad", x, y), C, D)
case("complex_cat", lambda x, y: torch.cat([x, y], 1), C, D)
case("complex_stack", lambda x, y: torch.stack([x, y], -1), C, D)
case("complex_views", lambda x: x.permute(2, 0, 1)[1:, :, 2].unsqueeze(1).expand(3, 4, 2).reshape(3, 8), C)
case("complex_slice_write", written_slice, C)
case("complex_where", lambda c, x, y: torch.where(c, x, y), YES, C, D)
case("complex_masked_fill", lambda x, m: x.masked_fill(m, 1 + 2j), C, YES)
case("complex_index", lambda x, i: x[:, i], C, torch.tensor([2, 0]))
case("complex_equal", lambda x, y: x == y, C, C.flip(0))
case("complex_to_double", lambda x: x.to(torch.complex128) * 2, C)
case("complex_from_real", lambda x: x.to(torch.complex64), A)
case("complex_parts", lambda x, y: torch.view_as_real(torch.complex(x, y)), A, B)
case("complex_polar", lambda x, y: torch.polar(x, y), P, A)
case("complex_rope", lambda x, f: torch.view_as_real(torch.view_as_complex(x.reshape(2, 3, 2, 2)) * torch.polar(torch.ones_like(f), f)).flatten(2), A, MATRIX[:3, :2])
case("complex_double", lambda x, y: x * y, C.to(torch.complex128), D.to(torch.complex128))
for norm in ("backward", "ortho", "forward"):
    for name in "fft ifft rfft ihfft".split():
        case(f"{name}_{norm}", lambda x, f=getattr(torch.fft, name), n=norm: f(x, norm=n), LINE)
    for name in "fft ifft irfft hfft".split():
        case(f"{name}_{norm}_complex", lambda x, f=getattr(torch.fft, name), n=norm: f(x, norm=n), C)
    for name in "fft2 ifft2 rfft2 fftn ifftn rfftn".split():
        case(f"{name}_{norm}", lambda x, f=getattr(torch.fft, name), n=norm: f(x, norm=n), A)
    for name in "irfft2 irfftn ifftn".split():
        case(f"{name}_{norm}_complex", lambda x, f=getattr(torch.fft, name), n=norm: f(x, norm=n), C)
for n, dim in ((3, 1), (8, -1), (5, 0)):
    case(f"fft_{n}_{dim}", lambda x, n=n, d=dim: torch.fft.fft(x, n, d), A)
    case(f"rfft_{n}_{dim}", lambda x, n=n, d=dim: torch.fft.rfft(x, n, d), A)
    case(f"irfft_{n}_{dim}", lambda x, n=n, d=dim: torch.fft.irfft(x, n, d), C)
case("fftn_some", lambda x: torch.fft.fftn(x, s=(5, 2), dim=(0, 2)), C)
case("irfftn_some", lambda x: torch.fft.irfftn(x, s=(3, 5), dim=(1, 2)), C)
case("irfft_real", lambda x: torch.fft.irfft(x), A)
case("fftshift", lambda x: torch.fft.fftshift(x), A)
case("ifftshift_dim", lambda x: torch.fft.ifftshift(x, dim=(1,)), C)
case("fftfreq", lambda x: x * torch.fft.fftfreq(4, 0.5), A)
case("rfftfreq", lambda x: x * torch.fft.rfftfreq(6), A)
SOUND = torch.randn(2, 400)
for onesided in (True, False):
    case(f"stft_{onesided}", lambda x, o=onesided: torch.view_as_real(torch.stft(x, 32, 8, window=torch.hann_window(32), onesided=o, return_complex=True)), SOUND)
case("stft_short_window", lambda x: torch.stft(x, 32, win_length=20, window=torch.hamming_window(20), center=False, normalized=True, return_complex=True), SOUND[0])
for length in (None, 400, 420):
    case(f"istft_{length}", lambda x, n=length: torch.istft(torch.stft(x, 32, 8, window=torch.hann_window(32), return_complex=True), 32, 8, window=torch.hann_window(32), length=n), SOUND)
case("istft_normalized", lambda x: torch.istft(torch.stft(x, 30, 10, normalized=True, return_complex=True), 30, 10, normalized=True), SOUND[0])

# Quantiles, medians, covariances, special functions.
HOLES = torch.where(YES & (B < 1), A, torch.nan)
LEVELS = torch.tensor([0.0, 0.3, 0.5, 1.0])
for mode in "linear lower higher midpoint nearest".split():
    case(f"quantile_{mode}", lambda x, q, m=mode: torch.quantile(x, q, dim=1, interpolation=m), A, LEVELS)
    case(f"nanquantile_{mode}", lambda x, q, m=mode: torch.nanquantile(x, q, dim=2, keepdim=True, interpolation=m), HOLES, LEVELS)
case("quantile_all", lambda x: torch.quantile(x, 0.25), A)
case("quantile_kept", lambda x: torch.quantile(x, 0.4, keepdim=True), A)
case("quantile_nan", lambda x, q: torch.quantile(x, q, dim=-1), HOLES, LEVELS)
case("nanmedian", lambda x: torch.nanmedian(x), HOLES)
case("nanmedian_dim", lambda x: torch.nanmedian(x, 1, keepdim=True)[0], HOLES)
case("cov", lambda x: torch.cov(x), MATRIX)
case("cov_row", lambda x: torch.cov(x, correction=0), ROW)
case("corrcoef", lambda x: torch.corrcoef(x), MATRIX)
for p in (0, 1, 2, 3, float("inf")):
    case(f"dist_{p}", lambda x, y, p=p: torch.dist(x, y, p), A, B)
    case(f"pdist_{p}", lambda x, p=p: F.pdist(x, p), MATRIX)
case("renorm", lambda x: torch.renorm(x, 2, 1, 1.5), A)
case("fmax", lambda x, y: (torch.fmax(x, y), torch.fmin(x, y), torch.fmax(y, x)), HOLES, B)
case("float_power", lambda x: (torch.float_power(x, 2), torch.float_power(2, x)), J)
case("logaddexp2", lambda x, y: torch.logaddexp2(x, y), A, B)
case("ldexp", lambda x, y: torch.ldexp(x, y), A, I)
case("sinc", lambda x: torch.sinc(x), torch.cat([ROW, torch.zeros(1)]))
case("special_entr", lambda x: torch.special.entr(x), SPECIAL)
case("special_ndtr", lambda x: torch.special.ndtr(x), A)
case("lgamma", lambda x: torch.lgamma(x), A * 4)
case("digamma", lambda x: torch.digamma(x), A * 4)
case("digamma_edges", lambda x: torch.digamma(x), torch.tensor([0.0, -0.0, -1.0, -2.5, 1e-3, 30.0]))
case("erfinv", lambda x: torch.erfinv(x), torch.cat([A.flatten().tanh(), torch.tensor([0.0, 1.0, -1.0, 0.999999, 2.0])]))
case("bessel", lambda x: (torch.i0(x), torch.special.i1(x)), A * 4)
case("vecdot", lambda x, y: torch.linalg.vecdot(x, y, dim=1), A, B)
