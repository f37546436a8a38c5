;; The arithmetic that network.ts spends its time on, four numbers at once. Addresses are in bytes, counts in numbers of
;; 32 bits; every count of channels divides by four. Nothing here reaches beyond the memory it is given: WebAssembly
;; stops it. build/web.go turns this text into the program.

(module
  (import "network" "memory" (memory 1))

  ;; $rows × $inner times $inner × $columns, plus a bias for each column, no less than $floor. Four rows at a time, so
  ;; the room of $a and $to is for a number of rows that divides by four.
  (func (export "matrix")
    (param $a i32) (param $w i32) (param $bias i32) (param $to i32) (param $rows i32) (param $inner i32) (param $columns i32) (param $floor f32)
    (local $least v128) (local $row i32) (local $line i32) (local $r i32) (local $c i32) (local $k i32)
    (local $a1 i32) (local $a2 i32) (local $a3 i32) (local $s i32) (local $t i32) (local $x v128)
    (local $p0 v128) (local $p1 v128) (local $p2 v128) (local $p3 v128)
    (local.set $least (f32x4.splat (local.get $floor)))
    (local.set $row (i32.shl (local.get $inner) (i32.const 2)))
    (local.set $line (i32.shl (local.get $columns) (i32.const 2)))
    (loop $next_rows
      (local.set $a1 (i32.add (local.get $a) (local.get $row)))
      (local.set $a2 (i32.add (local.get $a1) (local.get $row)))
      (local.set $a3 (i32.add (local.get $a2) (local.get $row)))
      (local.set $c (i32.const 0))
      (loop $next_columns
        (local.set $p0 (v128.load (i32.add (local.get $bias) (local.get $c))))
        (local.set $p1 (local.get $p0))
        (local.set $p2 (local.get $p0))
        (local.set $p3 (local.get $p0))
        (local.set $s (i32.add (local.get $w) (local.get $c)))
        (local.set $k (i32.const 0))
        (loop $next
          (local.set $x (v128.load (local.get $s)))
          (local.set $p0 (f32x4.add (local.get $p0) (f32x4.mul (local.get $x) (v128.load32_splat (i32.add (local.get $a) (local.get $k))))))
          (local.set $p1 (f32x4.add (local.get $p1) (f32x4.mul (local.get $x) (v128.load32_splat (i32.add (local.get $a1) (local.get $k))))))
          (local.set $p2 (f32x4.add (local.get $p2) (f32x4.mul (local.get $x) (v128.load32_splat (i32.add (local.get $a2) (local.get $k))))))
          (local.set $p3 (f32x4.add (local.get $p3) (f32x4.mul (local.get $x) (v128.load32_splat (i32.add (local.get $a3) (local.get $k))))))
          (local.set $s (i32.add (local.get $s) (local.get $line)))
          (br_if $next (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 4))) (local.get $row))))
        (local.set $t (i32.add (local.get $to) (local.get $c)))
        (v128.store (local.get $t) (f32x4.pmax (local.get $least) (local.get $p0)))
        (v128.store (local.tee $t (i32.add (local.get $t) (local.get $line))) (f32x4.pmax (local.get $least) (local.get $p1)))
        (v128.store (local.tee $t (i32.add (local.get $t) (local.get $line))) (f32x4.pmax (local.get $least) (local.get $p2)))
        (v128.store (i32.add (local.get $t) (local.get $line)) (f32x4.pmax (local.get $least) (local.get $p3)))
        (br_if $next_columns (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 16))) (local.get $line))))
      (local.set $a (i32.add (local.get $a3) (local.get $row)))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $line) (i32.const 2))))
      (br_if $next_rows (i32.lt_s (local.tee $r (i32.add (local.get $r) (i32.const 4))) (local.get $rows)))))

  ;; Each channel by itself: a square window of $window points, with weights of its own, over a picture of $h × $v points.
  (func (export "depthwise")
    (param $a i32) (param $w i32) (param $bias i32) (param $to i32) (param $h i32) (param $v i32) (param $channels i32)
    (param $to_h i32) (param $to_v i32) (param $window i32) (param $stride i32) (param $top i32) (param $left i32) (param $floor f32)
    (local $least v128) (local $line i32) (local $y i32) (local $x i32) (local $k i32) (local $j i32) (local $i i32)
    (local $row i32) (local $column i32) (local $sum v128)
    (local.set $least (f32x4.splat (local.get $floor)))
    (local.set $line (i32.shl (local.get $channels) (i32.const 2)))
    (loop $next_row
      (local.set $x (i32.const 0))
      (loop $next_point
        (local.set $k (i32.const 0))
        (loop $next_channels
          (local.set $sum (v128.load (i32.add (local.get $bias) (local.get $k))))
          (local.set $j (i32.const 0))
          (loop $down
            (local.set $row (i32.sub (i32.add (i32.mul (local.get $y) (local.get $stride)) (local.get $j)) (local.get $top)))
            (if (i32.lt_u (local.get $row) (local.get $h)) (then ;; what is above the first row is a large number here
              (local.set $i (i32.const 0))
              (loop $along
                (local.set $column (i32.sub (i32.add (i32.mul (local.get $x) (local.get $stride)) (local.get $i)) (local.get $left)))
                (if (i32.lt_u (local.get $column) (local.get $v)) (then
                  (local.set $sum (f32x4.add (local.get $sum) (f32x4.mul
                    (v128.load (i32.add (i32.add (local.get $a) (local.get $k))
                      (i32.mul (i32.add (i32.mul (local.get $row) (local.get $v)) (local.get $column)) (local.get $line))))
                    (v128.load (i32.add (i32.add (local.get $w) (local.get $k))
                      (i32.mul (i32.add (i32.mul (local.get $j) (local.get $window)) (local.get $i)) (local.get $line)))))))))
                (br_if $along (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $window))))))
            (br_if $down (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $window))))
          (v128.store (i32.add (local.get $to) (local.get $k)) (f32x4.pmax (local.get $least) (local.get $sum)))
          (br_if $next_channels (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 16))) (local.get $line))))
        (local.set $to (i32.add (local.get $to) (local.get $line)))
        (br_if $next_point (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $to_v))))
      (br_if $next_row (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $to_h)))))

  ;; Two blocks point by point; the second, of $period numbers, over and over.
  (func (export "add") (param $a i32) (param $b i32) (param $to i32) (param $count i32) (param $period i32)
    (local $at i32) (local $j i32)
    (local.set $count (i32.shl (local.get $count) (i32.const 2)))
    (local.set $period (i32.shl (local.get $period) (i32.const 2)))
    (loop $next
      (v128.store (i32.add (local.get $to) (local.get $at)) (f32x4.add
        (v128.load (i32.add (local.get $a) (local.get $at))) (v128.load (i32.add (local.get $b) (local.get $j)))))
      (local.set $j (i32.add (local.get $j) (i32.const 16)))
      (if (i32.ge_u (local.get $j) (local.get $period)) (then (local.set $j (i32.const 0))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $count)))))

  (func (export "multiply") (param $a i32) (param $b i32) (param $to i32) (param $count i32) (param $period i32)
    (local $at i32) (local $j i32)
    (local.set $count (i32.shl (local.get $count) (i32.const 2)))
    (local.set $period (i32.shl (local.get $period) (i32.const 2)))
    (loop $next
      (v128.store (i32.add (local.get $to) (local.get $at)) (f32x4.mul
        (v128.load (i32.add (local.get $a) (local.get $at))) (v128.load (i32.add (local.get $b) (local.get $j)))))
      (local.set $j (i32.add (local.get $j) (i32.const 16)))
      (if (i32.ge_u (local.get $j) (local.get $period)) (then (local.set $j (i32.const 0))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $count)))))

  ;; What is below zero becomes zero.
  (func (export "relu") (param $a i32) (param $to i32) (param $count i32)
    (local $at i32)
    (local.set $count (i32.shl (local.get $count) (i32.const 2)))
    (loop $next
      (v128.store (i32.add (local.get $to) (local.get $at))
        (f32x4.pmax (v128.const f32x4 0 0 0 0) (v128.load (i32.add (local.get $a) (local.get $at)))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $count)))))

  ;; x times (x + 3) / 6, the second held between 0 and 1.
  (func (export "hardSwish") (param $a i32) (param $to i32) (param $count i32)
    (local $at i32) (local $x v128)
    (local.set $count (i32.shl (local.get $count) (i32.const 2)))
    (loop $next
      (local.set $x (v128.load (i32.add (local.get $a) (local.get $at))))
      (v128.store (i32.add (local.get $to) (local.get $at)) (f32x4.mul (local.get $x)
        (f32x4.pmin (v128.const f32x4 1 1 1 1) (f32x4.pmax (v128.const f32x4 0 0 0 0)
          (f32x4.mul (f32x4.add (local.get $x) (v128.const f32x4 3 3 3 3)) (v128.const f32x4 0.16666667 0.16666667 0.16666667 0.16666667))))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $count))))))
